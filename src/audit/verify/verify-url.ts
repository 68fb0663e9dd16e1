import { leafHash } from '../leaf.ts';
import { TILE_WIDTH } from '../tiles.ts';
import { readEvidenceFile } from './evidence-file.ts';
import { watchFor } from './evidence-watch.ts';
import { readLeaf } from './leaf-bytes.ts';
import { LogClient, type LogClientOptions } from './log-client.ts';
import { type Expectation, LogWalk } from './log-walk.ts';
import { openCheckpoint, readKeys } from './notes.ts';
import { type Failed, failed, Refuted } from './outcome.ts';
import { TileCheck } from './tile-check.ts';
import { type EvidenceSummary, verifyEvidence } from './verify-evidence.ts';

export { LogUnreachable } from './log-client.ts';

export interface UrlOptions extends LogClientOptions {
  /** The keys of the ledger, in verifier form, from wherever they are trusted. */
  readonly keys: readonly string[];
  /** A signed checkpoint of the same log, kept from before. */
  readonly olderCheckpoint?: string | undefined;
  /** An evidence file, of which it is also checked that nothing in the log is missing in it. */
  readonly evidence?: Uint8Array | undefined;
  /** Whether the statements of all closed periods are computed again. Default false. */
  readonly statements?: boolean | undefined;
  /** Called now and then with the number of events read so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface UrlSummary {
  readonly origin: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly streams: number;
  readonly closings: number;
  readonly statementsChecked: boolean;
  /** Size of the older checkpoint that was compared; `undefined` if none was given. */
  readonly consistentSince: number | undefined;
  readonly evidence: EvidenceSummary | undefined;
}

export type UrlVerdict = { readonly ok: true; readonly summary: UrlSummary } | Failed;

/** Bundles that are asked for ahead. */
const AHEAD = 4;

/**
 * Reads a whole published log (C2SP tlog-tiles) and checks that it is what its newest checkpoint was signed over, that it
 * continues an older one, and that it has no gap; and, if an evidence file is given, that the file is complete.
 * @throws LogUnreachable if the log could not be read; the reason of the signal if it is aborted.
 */
export async function verifyUrl(options: UrlOptions): Promise<UrlVerdict> {
  const { signal } = options;
  // Requests that are still in progress when the outcome is known are aborted.
  const done = new AbortController();
  try {
    const either = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
    return await verify({ ...options, signal: either });
  } catch (error) {
    return failed(error);
  } finally {
    done.abort();
  }
}

async function verify(options: UrlOptions): Promise<UrlVerdict> {
  const { keys: given, olderCheckpoint, evidence: bytes, statements = false, onProgress } = options;
  const keys = readKeys(given);
  const evidence = bytes === undefined ? undefined : verifyEvidence(bytes, { keys: given });
  if (evidence?.ok === false) return evidence;
  const client = new LogClient(options);
  const checkpoint = openCheckpoint('the checkpoint of the log', await client.checkpoint(), keys);
  const { origin, size, root } = checkpoint;

  const expected: Expectation[] = [{ by: 'the newest checkpoint', size, root }];
  const expect = (by: string, note: string) => {
    const older = openCheckpoint(by, note, keys, origin);
    if (older.size > size) {
      const why = `the log of ${size} events is shorter than ${by}, which is of ${older.size}`;
      throw new Refuted('consistency', why);
    }
    expected.push({ by, size: older.size, root: older.root });
    return older.size;
  };
  const since = olderCheckpoint === undefined ? undefined : expect('the older checkpoint', olderCheckpoint);
  const file = bytes === undefined ? undefined : readEvidenceFile(bytes);
  const covered = file === undefined ? 0 : expect('the checkpoint of the evidence', file.evidence.checkpoint);

  const look = file === undefined ? undefined : watchFor(file, covered);
  const walk = new LogWalk({ expected, statements, look });
  await readAll(client, size, walk, onProgress);
  walk.end();
  return {
    ok: true,
    summary: {
      origin,
      size,
      root: Buffer.from(root).toString('base64'),
      streams: walk.streams,
      closings: walk.closings.length,
      statementsChecked: statements,
      consistentSince: since,
      evidence: evidence?.summary,
    },
  };
}

async function readAll(
  client: LogClient,
  size: number,
  walk: LogWalk,
  onProgress: UrlOptions['onProgress'],
): Promise<void> {
  const tiles = new TileCheck(client);
  const ahead: Promise<Uint8Array[]>[] = [];
  const ask = (index: number) => {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    if (width <= 0) return;
    const leaves = client.leaves(index, width);
    // It is looked at in its turn, or not at all.
    leaves.catch(() => undefined);
    ahead.push(leaves);
  };
  for (let index = 0; index < AHEAD; index++) ask(index);
  for (let index = AHEAD; ahead.length > 0; index++) {
    const leaves = (await ahead.shift()) as Uint8Array[];
    ask(index);
    for (const leaf of leaves) {
      const hash = leafHash(leaf);
      walk.add(readLeaf(walk.size + 1, leaf), hash);
      await tiles.add(hash);
    }
    onProgress?.(walk.size, size);
  }
  await tiles.end();
}
