import { AlertOut } from '../../../api/alerts.ts';
import { LivenessOut, ReadinessOut } from '../../../api/operations.ts';
import { ValidatorOut } from '../../../api/validator.ts';
import { type Client, readBody } from '../../client/client.ts';
import { pagesOf } from '../../client/pagination.ts';
import { fetchJson, parseAnswer } from '../../client/requests.ts';
import { unresolvedAlerts } from '../../render/alert-table.ts';
import { describeBreaker } from '../../render/validation-report.ts';
import { CliError, EXIT, type ExitCode, unreachable } from '../../terminal/cli-error.ts';
import { plural } from '../../terminal/text.ts';
import { effectiveSettingsHere } from '../config/effective-settings.ts';
import { checkCheckpoint } from './check-checkpoint.ts';
import { type Finding, failed, ok, skipped } from './finding.ts';

/** Checks the settings of a ledger started here. */
function checkConfiguration(): Finding {
  const check = 'configuration';
  try {
    const changed = effectiveSettingsHere().filter(({ origin }) => origin !== 'default');
    return ok(check, `valid; ${plural(changed.length, 'setting')} changed from the defaults`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return failed(
      check,
      error.message,
      'Fix the named settings; docs/configuration.md lists the allowed values.',
    );
  }
}

/** Checks that the ledger answers. @throws CliError if it does not. */
async function checkServer(client: Client): Promise<Finding> {
  try {
    await fetchJson(client, { path: '/livez' }, LivenessOut);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw unreachable(error.message, error);
  }
  return ok('server', `${client.name} answers`);
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  store:
    'Check that the store runs and that the ledger can reach it. The ledger reconnects without a restart.',
  projections: 'If it is replaying, wait. Otherwise check the log of the ledger and restart it.',
  clusters:
    'Look at the cluster with `clusters show` and at the event at that position. Void the event if it is wrong.',
  statements: 'Do not bill from this ledger until the cause is found. Compare it with an evidence file.',
  log: 'Do not change the store. Compare it with an older checkpoint and a backup. If events are missing and cannot be restored: `cluster-ledger log accept-loss --reason "…"`.',
  sources:
    'Make it readable again: check the network, the kubeconfig and the role of the ledger. Deletions may be missed until then.',
  clock:
    'Compare the clock of the host with a time server. If it is right, confirm it: `cluster-ledger clock trust --reason "…"`.',
};

/** Returns the ledger's own readiness checks. */
async function checkReadiness(client: Client): Promise<Finding[]> {
  // A ledger that is not ready asks to wait; a diagnosis says how it is now.
  const response = await client.send({ path: '/readyz', attempts: 1 });
  const text = await readBody(client, () => response.text());
  const { checks } = parseAnswer(client, text, ReadinessOut);
  return Object.entries(checks).map(([check, { ok: isOk, detail }]) =>
    isOk ? ok(check, detail) : failed(check, detail, NEXT_STEPS[check] ?? 'Check the log of the ledger.'),
  );
}

/** Checks that the validator completes its runs on time. The ledger raises an alert if it does not. */
async function checkValidator(client: Client): Promise<Finding> {
  const check = 'validator';
  const { shards, running } = await fetchJson(client, { path: '/v1/validator' }, ValidatorOut);
  const stale = (await Array.fromAsync(unresolvedAlerts(client, { kind: 'validator-stale' }))).flat();
  const [first] = stale;
  if (first !== undefined)
    return failed(
      check,
      stale.map(({ subject, happened }) => `${subject}: ${happened}`).join('; '),
      first.next,
    );
  if (shards.length === 0)
    return skipped(
      check,
      running.length > 0
        ? 'the first run is in progress'
        : 'no run was ever completed: no cluster is verified',
    );
  const runs = shards.map(
    ({ shard, completedAt, clusters, breaker }) =>
      `${shard}, ${plural(clusters, 'cluster')}, at ${completedAt}, breaker ${describeBreaker(breaker)}`,
  );
  return ok(check, `last runs: ${runs.join('; ')}`);
}

/** Checks that no critical alert is open. */
async function checkAlerts(client: Client): Promise<Finding[]> {
  const check = 'critical alerts';
  const request = { path: '/v1/alerts', query: { state: 'open', severity: 'critical' } };
  const alerts = (await Array.fromAsync(pagesOf(client, request, AlertOut))).flat();
  if (alerts.length === 0) return [ok(check, 'no open alert')];
  return alerts.map(({ id, happened, next }) => failed(check, `${id}: ${happened}`, next));
}

type Check = (client: Client) => Promise<Finding | Finding[]>;

const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['server', checkServer],
  ['readiness', checkReadiness],
  ['checkpoint', checkCheckpoint],
  ['validator', checkValidator],
  ['critical alerts', checkAlerts],
];

/** Runs all checks in order, and stops if the ledger cannot be reached. @returns the exit code. */
export async function* examine(client: Client): AsyncGenerator<Finding, ExitCode> {
  const done: Finding[] = [checkConfiguration()];
  yield* done;
  for (const [name, check] of CHECKS) {
    try {
      const findings = [await check(client)].flat();
      done.push(...findings);
      yield* findings;
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      const isUnreachable = error.exit === EXIT.unreachable;
      const finding = failed(name, error.message, isUnreachable ? NEXT_IF_UNREACHABLE : NEXT_IF_FAILED);
      done.push(finding);
      yield finding;
      if (isUnreachable) return EXIT.unreachable;
    }
  }
  return done.some(({ state }) => state === 'failed') ? EXIT.checksFailed : EXIT.done;
}

const NEXT_IF_UNREACHABLE = 'Check that the ledger runs, look at its log, and check the URL.';
const NEXT_IF_FAILED = 'See docs/errors.md and the log of the ledger.';
