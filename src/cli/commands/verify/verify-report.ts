import type { Check, Failed } from '../../../audit/verify/outcome.ts';
import type { EvidenceSummary } from '../../../audit/verify/verify-evidence.ts';
import type { StoreSummary } from '../../../audit/verify/verify-store.ts';
import type { UrlSummary } from '../../../audit/verify/verify-url.ts';
import { EXIT } from '../../terminal/cli-error.ts';
import type { Output } from '../../terminal/output.ts';
import { plural } from '../../terminal/text.ts';

/** A line of the report: one check. */
interface Line {
  readonly state: 'ok' | 'FAILED' | '-';
  readonly check: string;
  readonly text: string;
}

const STYLES = { ok: 'green', FAILED: 'red', '-': 'dim' } as const;

/** Checks of an evidence file, in order. The first failed check ends the verification. */
const EVIDENCE_CHECKS: Readonly<Record<Check, string>> = {
  format: 'the file is an evidence file',
  signature: 'the checkpoint is signed by a given key',
  inclusion: 'the facts are in the signed log',
  consistency: 'the log continues the older checkpoints',
  completeness: 'no fact of the clusters is missing',
  statement: 'the figures follow from the facts',
  seal: 'the ledger sealed the file with this content',
};

/** Prints the checks and a last line. */
async function print(out: Output, lines: readonly Line[], end: string): Promise<void> {
  const checks = Math.max(...lines.map(({ check }) => check.length));
  for (const { state, check, text } of lines) {
    const shown = out.style(STYLES[state], state);
    await out.line(`${shown}${' '.repeat(8 - state.length)}${check.padEnd(checks)}  ${text}`);
  }
  await out.line(end);
}

const ok = (check: string, text: string): Line => ({ state: 'ok', check, text });

export async function printEvidence(out: Output, summary: EvidenceSummary): Promise<void> {
  await print(out, evidenceLines(summary), `verified: ${summary.accountId}, ${summary.period}`);
}

function evidenceLines(summary: EvidenceSummary): Line[] {
  const { origin, accountId, period, size, clusters, facts, closings, consistentSince } = summary;
  const figures = {
    statement: 'the statement follows from the facts',
    'no statement': 'the facts lead to no statement',
    usage: 'the usage follows from the facts; the period is not closed',
  };
  return [
    ok('format', `evidence of ${accountId} for ${period}`),
    ok('signature', `checkpoint of ${plural(size, 'event')} of ${origin}, signed by a given key`),
    ok(
      'inclusion',
      `${plural(facts, 'fact')} of ${plural(clusters, 'cluster')} and ${plural(closings, 'closing')} in the signed log`,
    ),
    consistency(consistentSince),
    ok('completeness', 'no fact of these clusters is missing'),
    ok('statement', figures[summary.figure]),
    ok('seal', `content sealed by ${summary.sealedBy.join(', ')}`),
  ];
}

function consistency(since: number | undefined): Line {
  if (since !== undefined)
    return ok('consistency', `the log continues the older checkpoint of ${plural(since, 'event')}`);
  return { state: '-', check: 'consistency', text: 'no older checkpoint given to compare' };
}

export async function printLog(out: Output, summary: UrlSummary): Promise<void> {
  const { origin, size, streams, closings, statementsChecked, evidence } = summary;
  const lines: Line[] = [
    ok('signature', `checkpoint of ${plural(size, 'event')} of ${origin}, signed by a given key`),
    ok('log', `${plural(size, 'event')}, equal to the signed ones`),
    consistency(summary.consistentSince),
    ok('completeness', `${plural(streams, 'stream')} complete from the first event, without a gap`),
    statements(closings, statementsChecked),
  ];
  if (evidence === undefined) return print(out, lines, `verified: ${origin}`);
  const all = [
    ...evidenceLines(evidence),
    ok('evidence', 'the file omits nothing that the log has'),
    ...lines,
  ];
  await print(out, all, `verified: ${evidence.accountId}, ${evidence.period}, against ${origin}`);
}

function statements(closings: number, isChecked: boolean): Line {
  if (isChecked)
    return ok('statements', `the statements of ${plural(closings, 'closed period')} follow from the facts`);
  return { state: '-', check: 'statements', text: 'not recomputed; pass --statements to do so' };
}

/** @param trust whether keys were given, and the text of the older checkpoint. */
export async function printStore(
  out: Output,
  summary: StoreSummary,
  trust: { readonly hasKeys: boolean; readonly older: string | undefined },
): Promise<void> {
  const { origin, size, streams, checkpoints, signedSize, closings, statementsChecked } = summary;
  const lines: Line[] = [
    trust.hasKeys
      ? ok('signature', `${plural(checkpoints, 'stored checkpoint')} signed by given keys`)
      : {
          state: '-',
          check: 'signature',
          text: 'no key given: only the root hashes of checkpoints are compared',
        },
    ok('log', `the first ${signedSize} of ${plural(size, 'event')} are equal to the signed ones`),
    consistency(trust.older === undefined ? undefined : Number(trust.older.split('\n')[1])),
    ok('completeness', `${plural(streams, 'stream')} complete from the first event, without a gap`),
    statements(closings, statementsChecked),
  ];
  await print(out, lines, `verified: ${origin ?? 'a log that was never signed'}`);
}

/** Prints the failed check and sets the exit code. @param inOrder whether the checks before it passed. */
export async function printFailed(out: Output, { check, why }: Failed, inOrder: boolean): Promise<void> {
  process.exitCode = EXIT.checksFailed;
  const checks = Object.keys(EVIDENCE_CHECKS) as Check[];
  const passed = inOrder ? checks.slice(0, checks.indexOf(check)) : [];
  const lines = passed.map((name) => ok(name, EVIDENCE_CHECKS[name]));
  await print(out, [...lines, { state: 'FAILED', check, text: why }], 'verification failed');
}
