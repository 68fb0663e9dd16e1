import { hash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { Checkpoint } from '../checkpoint-text.ts';
import { sealText } from '../evidence/format.ts';
import { leafHash } from '../leaf.ts';
import { signersOf } from '../note.ts';
import type { NoteVerifier } from '../note-key.ts';
import { verifyConsistency, verifyInclusion } from '../verify-proof.ts';
import { checkCompleteness } from './completeness.ts';
import { type Entry, type EvidenceFile, readEvidenceFile } from './evidence-file.ts';
import { checkFigure } from './figure.ts';
import { isSignedByAny, openCheckpoint, openSigned, readKeys } from './notes.ts';
import { type Failed, failed, Refuted } from './outcome.ts';

export interface EvidenceOptions {
  /** The keys of the ledger, in verifier form, from wherever they are trusted: never those of the file. */
  readonly keys: readonly string[];
  /** A signed checkpoint of the same log, kept from before. */
  readonly olderCheckpoint?: string | undefined;
}

/** Numbers about a file that verifies. */
export interface EvidenceSummary {
  readonly origin: string;
  readonly accountId: string;
  readonly period: string;
  /** Events in the log that the checkpoint covers. */
  readonly size: number;
  readonly clusters: number;
  readonly facts: number;
  readonly closings: number;
  /** `statement`, or `no statement`, of a closed period; `usage` of one that is not closed. */
  readonly figure: 'statement' | 'no statement' | 'usage';
  /** Size of the older checkpoint that was compared; `undefined` if none was given. */
  readonly consistentSince: number | undefined;
  /** Names of the keys, among those given, that have sealed it. */
  readonly sealedBy: readonly string[];
}

export type EvidenceVerdict = { readonly ok: true; readonly summary: EvidenceSummary } | Failed;

/**
 * Verifies an evidence file offline: docs/evidence.md says what that proves. Looks at nothing but its arguments, and throws
 * on no bytes whatever.
 */
export function verifyEvidence(bytes: Uint8Array, options: EvidenceOptions): EvidenceVerdict {
  try {
    return { ok: true, summary: verify(bytes, options) };
  } catch (error) {
    return failed(error);
  }
}

function verify(bytes: Uint8Array, { keys: given, olderCheckpoint }: EvidenceOptions): EvidenceSummary {
  const file = readEvidenceFile(bytes);
  const { evidence } = file;
  const keys = readKeys(given);
  const checkpoint = openCheckpoint('the checkpoint of the file', evidence.checkpoint, keys, evidence.origin);
  const older =
    olderCheckpoint === undefined
      ? undefined
      : openCheckpoint('the older checkpoint', olderCheckpoint, keys, evidence.origin);
  checkInclusion(file, checkpoint);
  checkConsistency(file, checkpoint, keys, older);
  const calendar = checkCompleteness(file);
  checkFigure(file, checkpoint.size, calendar);
  const sealedBy = checkSeal(file, keys);
  const { accountId, period, origin, statement, usage } = evidence;
  return {
    origin,
    accountId,
    period,
    size: checkpoint.size,
    clusters: evidence.clusters.length,
    facts: evidence.clusters.reduce((sum, { facts }) => sum + facts.length, 0),
    closings: calendar.closings.length,
    figure: usage !== undefined ? 'usage' : statement === null ? 'no statement' : 'statement',
    consistentSince: older?.size,
    sealedBy,
  };
}

/** @throws Refuted */
function checkInclusion({ evidence }: EvidenceFile, { size, root }: Checkpoint): void {
  for (const entry of entriesOf(evidence)) {
    const proof = Buffer.from(entry.proof, 'base64');
    // The file is canonical, and so each part of it: this is the very text that stands in it.
    const leaf = canonicalJson(entry.leaf as unknown as Parameters<typeof canonicalJson>[0]);
    if (!verifyInclusion(proof, entry.index, size, leafHash(leaf), root))
      throw new Refuted('inclusion', `${nameOf(entry)} is not in the log of ${size} events that was signed`);
  }
}

function* entriesOf({ beginning, closings, clusters }: EvidenceFile['evidence']): Generator<Entry> {
  if (beginning !== undefined) yield beginning;
  yield* closings;
  for (const { facts } of clusters) yield* facts;
}

function nameOf({ index, leaf: { stream, revision, id } }: Entry): string {
  return `the event at position ${index + 1} (${stream}, revision ${revision}, ${id})`;
}

/** @throws Refuted */
function checkConsistency(
  { evidence: { consistency, origin } }: EvidenceFile,
  { size, root }: Checkpoint,
  keys: readonly NoteVerifier[],
  older: Checkpoint | undefined,
): void {
  for (const [i, each] of consistency.entries()) {
    if (i > 0 && each.size <= (consistency[i - 1]?.size ?? 0))
      throw new Refuted('consistency', `consistency[${i}] is not of a larger log than the one before it`);
    const itsRoot = Buffer.from(each.root, 'base64');
    if (!verifyConsistency(Buffer.from(each.proof, 'base64'), each.size, size, itsRoot, root))
      throw new Refuted(
        'consistency',
        `the log of ${size} events is not shown to continue the one of ${each.size}`,
      );
    checkKept(each, origin, keys);
  }
  if (older === undefined) return;
  if (older.size > size) {
    const why = `the file covers ${size} events, fewer than the ${older.size} of the older checkpoint: ask for it again`;
    throw new Refuted('consistency', why);
  }
  const same =
    older.size === size ? root : consistency.map(rootOf).find((each) => each.size === older.size)?.root;
  if (older.size === 0) return;
  if (same === undefined) {
    const why = `nothing in the file shows that the log continues the one of ${older.size} events: ask for it with since=${older.size}`;
    throw new Refuted('consistency', why);
  }
  if (Buffer.compare(same, older.root) !== 0) {
    const why = `the first ${older.size} events of the log are not those of the older checkpoint: it was changed since`;
    throw new Refuted('consistency', why);
  }
}

function rootOf({ size, root }: { size: number; root: string }): { size: number; root: Uint8Array } {
  return { size, root: Buffer.from(root, 'base64') };
}

/** A kept checkpoint says what its proof is of. */
function checkKept(
  { checkpoint: note, size, root }: EvidenceFile['evidence']['consistency'][number],
  origin: string,
  keys: readonly NoteVerifier[],
): void {
  if (note === undefined || !isSignedByAny(note, keys)) return;
  const name = `the kept checkpoint of ${size} events`;
  const kept = openCheckpoint(name, note, keys, origin, 'consistency');
  if (kept.size !== size || Buffer.from(kept.root).toString('base64') !== root)
    throw new Refuted('consistency', `${name} is of another log than its proof`);
}

/**
 * Every line of the seal must be right, also those of keys that were not given: the seal itself vouches for the keys that the
 * file names.
 * @returns the names of the given keys that sealed it.
 * @throws Refuted
 */
function checkSeal({ evidence, seal }: EvidenceFile, keys: readonly NoteVerifier[]): string[] {
  const { origin, accountId, period } = evidence;
  const given = new Set(keys.map(String));
  const named = readKeys(evidence.keys, 'seal').filter((key) => !given.has(String(key)));
  const { text, signedBy } = openSigned('the seal', seal, [...keys, ...named], 'seal');
  const trusted = signedBy.filter((key) => given.has(String(key)));
  if (trusted.length === 0) throw new Refuted('seal', 'the seal is not signed by a key that was given');
  const digest = hash('sha256', canonicalJson(evidence as never), 'buffer');
  if (text !== sealText(origin, accountId, period, digest))
    throw new Refuted('seal', 'the seal is that of another file: something was added, left out or changed');
  if (signersOf(seal).length !== signedBy.length || signedBy.join() !== evidence.keys.join())
    throw new Refuted('seal', 'the seal is not signed by exactly the keys that the file names');
  return trusted.map(({ name }) => name);
}
