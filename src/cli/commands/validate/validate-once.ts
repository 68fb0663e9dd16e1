import { setTimeout as wait } from 'node:timers/promises';
import { RunDetailOut, RunRequestedOut } from '../../../api/validations.ts';
import { type CliContext, withRunningLedger } from '../../client/cli-context.ts';
import { type Client, path, readBody } from '../../client/client.ts';
import { fetchJson, parseAnswer, printAnswer } from '../../client/requests.ts';
import type { TargetOptions } from '../../client/target.ts';
import { Plan, type Run, showPlan, showRun } from '../../render/validation-report.ts';
import { CliError, EXIT } from '../../terminal/cli-error.ts';
import { printMessage } from '../../terminal/output.ts';
import { Progress } from '../../terminal/progress.ts';

const POLL_INTERVAL_MS = 200;
/** Time in which a run that was just requested becomes visible. */
const VISIBLE_WITHIN_MS = 10_000;

interface OnceOptions extends TargetOptions {
  readonly json?: boolean;
}

/** Probes every cluster and shows what a run would record. Nothing is written. */
export function showPlannedRun(cli: CliContext, options: OnceOptions): Promise<void> {
  const request = { method: 'POST', path: '/v1/validations', body: { dryRun: true } } as const;
  return withRunningLedger(cli, options, (client) =>
    printAnswer(client, cli.out, options, request, Plan, (plan) => showPlan(cli.out, plan)),
  );
}

/** Starts a run of the validator, waits for it and shows its result. @throws CliError if the run is abandoned. */
export function runOnce(cli: CliContext, options: OnceOptions): Promise<void> {
  return withRunningLedger(cli, options, async (client) => {
    const { outcome, id } = await fetchJson(
      client,
      { method: 'POST', path: '/v1/validations', body: {} },
      RunRequestedOut,
    );
    if (outcome === 'under-way') printMessage(`run ${id} is already in progress; waiting for it`);
    await waitUntilEnded(client, id);
    const run = await fetchWholeRun(client, id);
    await (options.json === true ? cli.out.line(JSON.stringify(run)) : showRun(cli.out, run));
    if (run.state === 'abandoned')
      throw new CliError(EXIT.failed, `run ${id} was abandoned and has no effect: ${run.abandoned}`);
  });
}

/** Waits until a run has ended, with a progress bar. */
async function waitUntilEnded(client: Client, id: string): Promise<void> {
  const progress = new Progress('probing', 'clusters');
  const startedAt = performance.now();
  try {
    for (;;) {
      const run = await fetchRunIfVisible(client, id, performance.now() - startedAt < VISIBLE_WITHIN_MS);
      if (run !== undefined && run.state !== 'running') return;
      const { done, total } = run?.progress ?? {};
      if (done !== undefined && total !== undefined && total !== null) progress.at(done, total);
      await wait(POLL_INTERVAL_MS);
    }
  } finally {
    progress.end();
  }
}

/** Returns a run, or `undefined` if it is not visible yet. */
async function fetchRunIfVisible(
  client: Client,
  id: string,
  mayBeInvisible: boolean,
): Promise<Run | undefined> {
  const request = { path: path`/v1/validations/${id}`, query: { limit: '1' } };
  if (!mayBeInvisible) return fetchJson(client, request, RunDetailOut);
  const response = await client.send(request);
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok) return fetchJson(client, request, RunDetailOut);
  const text = await readBody(client, () => response.text());
  return parseAnswer(client, text, RunDetailOut);
}

/** Returns a run with all its pages of changed verdicts. */
async function fetchWholeRun(client: Client, id: string): Promise<Run> {
  const verdicts: Run['verdicts'] = [];
  let cursor: string | undefined;
  for (;;) {
    const request = { path: path`/v1/validations/${id}`, query: { limit: '1000', cursor } };
    const { next, ...run } = await fetchJson(client, request, RunDetailOut);
    verdicts.push(...run.verdicts);
    if (next === undefined) return { ...run, verdicts };
    cursor = next;
  }
}
