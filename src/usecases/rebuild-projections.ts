import { rename } from 'node:fs/promises';
import type { EventStore } from '../eventstore/event-store.ts';
import { LedgerModel } from '../projections/model/ledger-model.ts';
import { encodeModel, readSnapshot } from '../projections/model/snapshot.ts';
import { replayLog } from '../projections/replay-log.ts';
import type { Position } from '../util/log-numbers.ts';

/** How the snapshot of a ledger compares with its log. */
export type SnapshotComparison =
  | { readonly state: 'absent' }
  /** Every byte is what the log gives. */
  | { readonly state: 'equal'; readonly position: Position }
  /** It is not what the log gives, or cannot be read. It was moved, so the next start replays the log. */
  | { readonly state: 'different' | 'unusable'; readonly why: string; readonly movedTo: string }
  /** It has events that the log lacks. It was left in its place, because it shows that. */
  | { readonly state: 'ahead'; readonly position: Position };

/** The projections, computed from the log alone. */
export interface RebuildSummary {
  /** Number of events in the log. */
  readonly events: number;
  readonly clusters: number;
  readonly accounts: number;
  readonly closedPeriods: number;
  readonly snapshot: SnapshotComparison;
}

export interface RebuildOptions {
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Computes the projections from the log alone, and compares them with the snapshot, continued to the end of the log. A snapshot
 * that differs is moved to another name, so that the next start does not use it. The store is only read.
 * @param snapshotFile file of the snapshot; it need not exist. No ledger may use it at the same time.
 * @throws StoreUnavailable, StoreFailed
 */
export async function rebuildProjections(
  store: EventStore,
  snapshotFile: string,
  { onProgress }: RebuildOptions = {},
): Promise<RebuildSummary> {
  const total = await store.head();
  let unusable: string | undefined;
  const snapshot = await readSnapshot(snapshotFile, (why) => {
    unusable = why;
  });
  const rebuilt = new LedgerModel();
  for await (const position of replayLog(store, rebuilt, total)) onProgress?.(position, total);
  const continued = snapshot?.model;
  const snapshotPosition = continued?.position ?? 0;
  if (continued !== undefined) for await (const _ of replayLog(store, continued, total));
  const compare = async (): Promise<SnapshotComparison> => {
    if (unusable !== undefined) return moveAside(snapshotFile, 'unusable', unusable);
    if (continued === undefined) return { state: 'absent' };
    if (snapshotPosition > rebuilt.position) return { state: 'ahead', position: snapshotPosition };
    if (encodeModel(continued).equals(encodeModel(rebuilt)))
      return { state: 'equal', position: snapshotPosition };
    return moveAside(snapshotFile, 'different', 'the log gives other answers');
  };
  return {
    events: rebuilt.position,
    clusters: rebuilt.clusters.texts.length,
    accounts: rebuilt.accounts.texts.length,
    closedPeriods: rebuilt.closedPeriods.all.length,
    snapshot: await compare(),
  };
}

async function moveAside(
  file: string,
  state: 'different' | 'unusable',
  why: string,
): Promise<SnapshotComparison> {
  const movedTo = `${file}.${state}`;
  await rename(file, movedTo);
  return { state, why, movedTo };
}
