import type { Check, Failed } from '../../../audit/verify/outcome.ts';
import type { EvidenceSummary } from '../../../audit/verify/verify-evidence.ts';
import type { StoreSummary } from '../../../audit/verify/verify-store.ts';
import type { UrlSummary } from '../../../audit/verify/verify-url.ts';
import { EXIT } from '../../terminal/cli-error.ts';
import type { Output } from '../../terminal/output.ts';

/** One thing that was looked at. */
interface Line {
  readonly state: 'ok' | 'FAILED' | '-';
  readonly check: string;
  readonly words: string;
}

const STYLES = { ok: 'green', FAILED: 'red', '-': 'dim' } as const;

/** Checks of an evidence file, in the order in which they are made: the first that does not hold ends it. */
const EVIDENCE_CHECKS: Readonly<Record<Check, string>> = {
  format: 'it is an evidence file',
  signature: 'its checkpoint is signed by a key that was given',
  inclusion: 'its facts are in the signed log',
  consistency: 'the log continues its older checkpoints',
  completeness: 'no fact of its clusters is missing',
  statement: 'its figures follow from the facts',
  seal: 'it was sealed by the ledger as it is',
};

/** Prints a verdict and sets the exit code. */
async function print(out: Output, lines: readonly Line[], end: string): Promise<void> {
  const checks = Math.max(...lines.map(({ check }) => check.length));
  for (const { state, check, words } of lines) {
    const shown = out.style(STYLES[state], state);
    await out.line(`${shown}${' '.repeat(8 - state.length)}${check.padEnd(checks)}  ${words}`);
  }
  await out.line(end);
}

const ok = (check: string, words: string): Line => ({ state: 'ok', check, words });

export async function printEvidence(out: Output, summary: EvidenceSummary): Promise<void> {
  await print(out, evidenceLines(summary), `verified: ${summary.accountId}, ${summary.period}`);
}

function evidenceLines(summary: EvidenceSummary): Line[] {
  const { origin, accountId, period, size, clusters, facts, closings, consistentSince } = summary;
  const figures = {
    statement: 'the statement follows from the facts',
    'no statement': 'that there is no statement follows from the facts',
    usage: 'the usage follows from the facts; the period is not closed',
  };
  return [
    ok('format', `evidence of ${accountId} for ${period}`),
    ok('signature', `a checkpoint of ${size} events of ${origin}, signed by a key that was given`),
    ok('inclusion', `${facts} facts of ${clusters} clusters and ${closings} closings are in the signed log`),
    consistency(consistentSince),
    ok('completeness', 'no fact of these clusters is missing'),
    ok('statement', figures[summary.figure]),
    ok('seal', `sealed as it is by ${summary.sealedBy.join(', ')}`),
  ];
}

function consistency(since: number | undefined): Line {
  if (since !== undefined)
    return ok('consistency', `the log continues the older checkpoint of ${since} events`);
  return { state: '-', check: 'consistency', words: 'no older checkpoint was given to compare' };
}

export async function printLog(out: Output, summary: UrlSummary): Promise<void> {
  const { origin, size, streams, closings, statementsChecked, evidence } = summary;
  const lines: Line[] = [
    ok('signature', `a checkpoint of ${size} events of ${origin}, signed by a key that was given`),
    ok('log', `its ${size} events are those that were signed`),
    consistency(summary.consistentSince),
    ok('completeness', `${streams} streams run from their beginning without a gap`),
    statements(closings, statementsChecked),
  ];
  if (evidence === undefined) return print(out, lines, `verified: ${origin}`);
  const all = [
    ...evidenceLines(evidence),
    ok('evidence', 'the log has nothing that the file lacks'),
    ...lines,
  ];
  await print(out, all, `verified: ${evidence.accountId}, ${evidence.period}, against ${origin}`);
}

function statements(closings: number, isChecked: boolean): Line {
  if (isChecked) return ok('statements', `those of ${closings} closed periods follow from the facts`);
  return { state: '-', check: 'statements', words: 'not worked out again: --statements does' };
}

/** @param given whether there were keys, and the older checkpoint that was given. */
export async function printStore(
  out: Output,
  summary: StoreSummary,
  given: { readonly hasKeys: boolean; readonly older: string | undefined },
): Promise<void> {
  const { origin, size, streams, checkpoints, signedSize, closings, statementsChecked } = summary;
  const lines: Line[] = [
    given.hasKeys
      ? ok('signature', `${checkpoints} kept checkpoints are signed by keys that were given`)
      : {
          state: '-',
          check: 'signature',
          words: 'no key was given: only the roots of checkpoints are compared',
        },
    ok('log', `the first ${signedSize} of ${size} events are those that were signed`),
    consistency(given.older === undefined ? undefined : Number(given.older.split('\n')[1])),
    ok('completeness', `${streams} streams run from their beginning without a gap`),
    statements(closings, statementsChecked),
  ];
  await print(out, lines, `verified: ${origin ?? 'a log that was never signed'}`);
}

/** Says what does not hold, and sets the exit code. @param inOrder whether what is checked before it was found to hold. */
export async function printFailed(out: Output, { check, why }: Failed, inOrder: boolean): Promise<void> {
  process.exitCode = EXIT.checksFailed;
  const checks = Object.keys(EVIDENCE_CHECKS) as Check[];
  const before = inOrder ? checks.slice(0, checks.indexOf(check)) : [];
  const lines = before.map((each) => ok(each, EVIDENCE_CHECKS[each]));
  await print(out, [...lines, { state: 'FAILED', check, words: why }], 'not verified');
}
