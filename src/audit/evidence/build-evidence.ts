import { createHash } from 'node:crypto';
import type { EventStore, RecordedEvent } from '../../eventstore/event-store.ts';
import { EventLoopYielder } from '../../util/event-loop-yielder.ts';
import { canonicalJson, canonicalString } from '../canonical-json.ts';
import { parseCheckpoint } from '../checkpoint-text.ts';
import { leafHash, leafText } from '../leaf.ts';
import type { LogTree } from '../log-tree.ts';
import { openNote } from '../note.ts';
import type { NoteVerifier } from '../note-key.ts';
import { LeavesChanged } from '../tree.ts';
import { verifyInclusion } from '../verify-proof.ts';
import { EVIDENCE_FORMAT, type Figure, type JsonObject, sealText } from './format.ts';

interface Checkpoint {
  readonly note: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** The part of the signed log that evidence is made from. */
export interface EvidenceLog {
  readonly origin: string;
  readonly tree: Pick<LogTree, 'inclusionProof' | 'consistencyProof' | 'sizeAndRoot'>;
  verifiers(): readonly NoteVerifier[];
  sign(text: string): string;
  /** Reports that the log is not what was signed. */
  reportChange(error: LeavesChanged): void;
  kept(): AsyncIterable<Checkpoint>;
}

/** The contents of a file: the figure that it proves, and the positions of the events that prove it. */
export interface EvidenceContents {
  readonly accountId: string;
  readonly period: string;
  readonly figure: Figure;
  /** Covers all that follows. */
  readonly checkpoint: Checkpoint;
  /** Position of the event with which statements begin; absent if there is none. */
  readonly beginning?: number | undefined;
  /** Every cluster that any fact gives to the account, and the positions of all of its facts that the checkpoint covers. */
  readonly clusters: readonly { readonly clusterId: string; readonly positions: readonly number[] }[];
  /** Every closed period, and the position of its closing. */
  readonly closings: readonly { readonly period: string; readonly position: number }[];
  /** Size of an older tree that the log is to be proved consistent with. */
  readonly since?: number | undefined;
}

type Store = Pick<EventStore, 'readStream'>;

/** Number of facts in one piece of the file. */
const FACTS_PER_PIECE = 128;

/** Yields an evidence file as `filePieces` does, and reports an event that is not what was signed. */
export async function* evidencePieces(
  log: EvidenceLog,
  store: Store,
  contents: EvidenceContents,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  try {
    yield* filePieces(log, store, contents, signal);
  } catch (error) {
    if (error instanceof LeavesChanged) log.reportChange(error);
    throw error;
  }
}

/**
 * Writes an evidence file, piece by piece: the canonical JSON of `{ evidence, seal }` and a newline. The proofs of all events
 * are held in memory, some 700 bytes each, and few events at once.
 * @param signal ends the work: it then throws its reason.
 * @throws LeavesChanged if the log no longer has the signed events. @throws RangeError, StoreUnavailable
 */
async function* filePieces(
  log: EvidenceLog,
  store: Store,
  contents: EvidenceContents,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const proofs = await proofsFor(log, contents, signal);
  const digest = createHash('sha256');
  yield '{"evidence":';
  for await (const piece of bodyPieces(log, store, contents, proofs, signal)) {
    digest.update(piece);
    yield piece;
  }
  const seal = log.sign(sealText(log.origin, contents.accountId, contents.period, digest.digest()));
  yield `,"seal":${canonicalString(seal)}}\n`;
}

type Proofs = ReadonlyMap<number, Uint8Array>;

/** The inclusion proofs of all events, by position. In the order of the log, so that no part of it is read twice. */
async function proofsFor(
  { tree }: EvidenceLog,
  { checkpoint, beginning, clusters, closings }: EvidenceContents,
  signal: AbortSignal | undefined,
): Promise<Proofs> {
  const positions = [
    ...(beginning === undefined ? [] : [beginning]),
    ...closings.map(({ position }) => position),
    ...clusters.flatMap((cluster) => cluster.positions),
  ];
  const proofs = new Map<number, Uint8Array>();
  const yielder = new EventLoopYielder(signal);
  for (const position of positions.sort((a, b) => a - b)) {
    proofs.set(position, await tree.inclusionProof(position - 1, checkpoint.size));
    if (yielder.isDue) await yielder.yield();
  }
  return proofs;
}

/** The members of `evidence`, in the order that RFC 8785 wants them in. */
async function* bodyPieces(
  log: EvidenceLog,
  store: Store,
  contents: EvidenceContents,
  proofs: Proofs,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const { accountId, period, beginning, checkpoint, closings, figure } = contents;
  const entryOf = (event: RecordedEvent | undefined, position: number) =>
    entryText(event, position, checkpoint, proofs);

  yield `{"accountId":${canonicalString(accountId)}`;
  if (beginning !== undefined) {
    const [event] = await all(store.readStream('billing', { limit: 1 }));
    yield `,"beginning":${entryOf(event, beginning)}`;
  }
  yield `,"checkpoint":${canonicalString(checkpoint.note)},"closings":[`;
  for (const [i, closing] of closings.entries()) {
    const [event] = await all(store.readStream(`period-${closing.period}`, { limit: 1 }));
    yield `${i === 0 ? '' : ','}${entryOf(event, closing.position)}`;
  }
  yield '],"clusters":[';
  const inOrder = contents.clusters.toSorted((a, b) => (a.clusterId < b.clusterId ? -1 : 1));
  const yielder = new EventLoopYielder(signal);
  for (const [i, { clusterId, positions }] of inOrder.entries()) {
    yield `${i === 0 ? '' : ','}{"clusterId":${canonicalString(clusterId)},"facts":[`;
    for (let from = 0; from < positions.length; from += FACTS_PER_PIECE) {
      const some = positions.slice(from, from + FACTS_PER_PIECE);
      const options = { from, limit: some.length };
      const events = await all(store.readStream(`cluster-${clusterId}`, options));
      const facts = some.map((position, n) => entryOf(events[n], position));
      yield (from === 0 ? '' : ',') + facts.join(',');
      if (yielder.isDue) await yielder.yield();
    }
    yield ']}';
  }
  const rest = {
    consistency: await consistencyOf(log, contents),
    format: EVIDENCE_FORMAT,
    keys: sealingKeys(log),
    origin: log.origin,
    period,
    ...figure,
  };
  yield `],${canonicalJson(rest as unknown as JsonObject).slice(1)}`;
}

/** @throws LeavesChanged if the event differs from the one that was signed. */
function entryText(
  event: RecordedEvent | undefined,
  position: number,
  { size, root }: Checkpoint,
  proofs: Proofs,
): string {
  const index = position - 1;
  const proof = proofs.get(position) as Uint8Array;
  const leaf = event === undefined ? '' : leafText(event);
  if (!verifyInclusion(proof, index, size, leafHash(leaf), root))
    throw new LeavesChanged(`the event at position ${position} is not what it was`);
  return `{"index":${index},"leaf":${leaf},"proof":"${base64(proof)}"}`;
}

/**
 * Proofs that the log was only added to: since the first checkpoint that was kept at or after each closing, and since the size
 * that was asked about.
 */
async function consistencyOf(
  log: EvidenceLog,
  { checkpoint, closings, since }: EvidenceContents,
): Promise<JsonObject[]> {
  const { size } = checkpoint;
  const older = new Map<number, Checkpoint | undefined>();
  if (since !== undefined) older.set(since, undefined);
  const waiting = closings.map(({ position }) => position);
  for await (const kept of log.kept()) {
    if (originOf(kept) !== log.origin || kept.size >= size) continue;
    if (waiting[0] !== undefined && kept.size >= waiting[0]) older.set(kept.size, kept);
    while (waiting[0] !== undefined && kept.size >= waiting[0]) waiting.shift();
  }
  const sizes = [...older].sort(([a], [b]) => a - b);
  return Promise.all(
    sizes.map(async ([from, kept]) => ({
      ...(kept !== undefined && { checkpoint: kept.note }),
      proof: base64(await log.tree.consistencyProof(from, size)),
      root: base64(kept?.root ?? (await log.tree.sizeAndRoot(from)).root),
      size: from,
    })),
  );
}

function originOf({ note }: Checkpoint): string {
  return parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1)).origin;
}

/** The keys that sign now, which will seal the file, in verifier form. */
function sealingKeys(log: EvidenceLog): string[] {
  return openNote(log.sign(`${EVIDENCE_FORMAT}\n`), log.verifiers()).signedBy.map(String);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

async function all(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const list: RecordedEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}
