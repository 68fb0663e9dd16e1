import { AlertOut } from '../../../api/alerts.ts';
import { LivenessOut, ReadinessOut } from '../../../api/operations.ts';
import { ValidatorOut } from '../../../api/validator.ts';
import { parseCheckpoint } from '../../../audit/checkpoint.ts';
import { openNote } from '../../../audit/note.ts';
import { NoteVerifier } from '../../../audit/note-key.ts';
import { type Client, readBody } from '../../client/client.ts';
import { pagesOf } from '../../client/pagination.ts';
import { fetchJson, parseAnswer, send } from '../../client/requests.ts';
import { unresolvedAlerts } from '../../render/alert-table.ts';
import { describeBreaker } from '../../render/validation-report.ts';
import { CliError, EXIT, type ExitCode, unreachable } from '../../terminal/cli-error.ts';
import { effectiveSettingsHere } from '../config/effective-settings.ts';

/** What was looked at, how it was found, and what to do where it is not as it must be. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
  readonly next?: string;
}

const ok = (check: string, detail: string): Finding => ({ check, state: 'ok', detail });
const skipped = (check: string, detail: string): Finding => ({ check, state: 'skipped', detail });
const failed = (check: string, detail: string, next: string): Finding => ({
  check,
  state: 'failed',
  detail,
  next,
});

/** The settings of a ledger that is started here. */
function checkConfiguration(): Finding {
  const check = 'configuration';
  try {
    const given = effectiveSettingsHere().filter(({ origin }) => origin !== 'default');
    return ok(check, `valid, ${given.length} settings are given here and the others are the defaults`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return failed(
      check,
      error.message,
      'Put right what is named; docs/configuration.md says what each setting may be.',
    );
  }
}

/** Whether a ledger answers there. @throws CliError if none does. */
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
  store: 'See whether the store runs and can be reached from the ledger; it goes on by itself once it can.',
  projections: 'Where it replays, wait. Otherwise see the log of the ledger, and start it again.',
  clusters:
    'Look at the cluster with `clusters show`, and at the event at that position; void it if it is wrong.',
  statements: 'Do not bill from this ledger until it is understood: compare it with an evidence file.',
  log: 'Keep the store as it is, and compare it with a checkpoint and a copy that somebody else has.',
};

/** What the ledger checks of itself, by name. */
async function checkReadiness(client: Client): Promise<Finding[]> {
  const response = await client.send({ path: '/readyz' });
  const text = await readBody(client, () => response.text());
  const { checks } = parseAnswer(client, text, ReadinessOut);
  return Object.entries(checks).map(([check, { ok: isOk, detail }]) =>
    isOk ? ok(check, detail) : failed(check, detail, NEXT_STEPS[check] ?? 'See the log of the ledger.'),
  );
}

/** A day: no ledger may be set to sign less often than that while events arrive. */
const MAX_CHECKPOINT_AGE_S = 86_400;

/** Whether the newest checkpoint is signed by a key of the ledger, and how old it is. */
async function checkCheckpoint(client: Client): Promise<Finding> {
  const check = 'checkpoint';
  const plain = async (path: string) => {
    const response = await send(client, { path, accept: 'text/plain' });
    return readBody(client, () => response.text());
  };
  const [note, keys, metrics] = [
    await plain('/log/checkpoint'),
    await plain('/log/key'),
    await plain('/metrics'),
  ];
  let size: number;
  try {
    const known = keys
      .trim()
      .split('\n')
      .map((key) => NoteVerifier.parse(key));
    size = parseCheckpoint(openNote(note, known).text).size;
  } catch (error) {
    return failed(
      check,
      `the newest one is not to be believed: ${(error as Error).message}`,
      'Keep the store as it is. See whether the key of the ledger was exchanged without `log key rotate`.',
    );
  }
  const age = metricValue(metrics, 'ledger_log_checkpoint_age_seconds');
  const events = metricValue(metrics, 'ledger_log_size');
  if (age === undefined || events === undefined)
    return skipped(check, `signed, of ${size} events; its age is not told`);
  const detail = `signed, of ${size} of ${events} events, ${formatDuration(age)} ago`;
  if (events <= size || age <= MAX_CHECKPOINT_AGE_S) return ok(check, detail);
  return failed(
    check,
    detail,
    'Sign one now: `cluster-ledger log checkpoint --sign`; see the log of the ledger for why none was.',
  );
}

function metricValue(metrics: string, name: string): number | undefined {
  const line = metrics.split('\n').find((each) => each.startsWith(`${name} `));
  const value = Number(line?.slice(name.length));
  return Number.isFinite(value) ? value : undefined;
}

/** A length of time, as coarse as people say it. */
function formatDuration(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ] as const;
  const [size, unit] = units.find(([least]) => seconds >= 2 * least) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** Whether the validator runs when it is due: the ledger knows, since the runs say how often they come. */
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
      running.length > 0 ? 'its first run is under way' : 'no run was ever completed: nothing is verified',
    );
  const runs = shards.map(
    ({ shard, completedAt, clusters, breaker }) =>
      `${shard} of ${clusters} clusters at ${completedAt}, breaker ${describeBreaker(breaker)}`,
  );
  return ok(check, `last runs: ${runs.join('; ')}`);
}

/** Whether there is anything that must be looked at now. */
async function checkAlerts(client: Client): Promise<Finding[]> {
  const check = 'critical alerts';
  const request = { path: '/v1/alerts', query: { state: 'open', severity: 'critical' } };
  const alerts = (await Array.fromAsync(pagesOf(client, request, AlertOut))).flat();
  if (alerts.length === 0) return [ok(check, 'none is open')];
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

/** Looks at everything, one after the other, up to where the ledger is not reached. */
export async function* examine(client: Client): AsyncGenerator<Finding, ExitCode> {
  const found: Finding[] = [checkConfiguration()];
  yield* found;
  for (const [name, check] of CHECKS) {
    try {
      const findings = [await check(client)].flat();
      found.push(...findings);
      yield* findings;
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      const isGone = error.exit === EXIT.unreachable;
      const finding = failed(name, error.message, isGone ? NEXT_IF_UNREACHABLE : NEXT_IF_FAILED);
      found.push(finding);
      yield finding;
      if (isGone) return EXIT.unreachable;
    }
  }
  return found.some(({ state }) => state === 'failed') ? EXIT.checksFailed : EXIT.done;
}

const NEXT_IF_UNREACHABLE =
  'See whether the ledger runs and what its log says, and whether --url is where it listens.';
const NEXT_IF_FAILED = 'See docs/errors.md, and the log of the ledger.';
