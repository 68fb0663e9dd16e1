import type { SignedLog } from '../audit/signed-log.ts';
import { LeavesChanged } from '../audit/tree.ts';
import { READ_TIMEOUT_MS } from '../projections/wait-limits.ts';
import type { Position } from '../util/log-numbers.ts';
import { Problem } from './server/problem.ts';

/** Returns the leaf of an event and its inclusion proof in the tree of `size` events. @throws RangeError, LeavesChanged, StoreUnavailable */
export async function inclusionOf({ tree }: SignedLog, position: Position, size: number) {
  const leafIndex = position - 1;
  const proof = hashesOut(await tree.inclusionProof(leafIndex, size));
  return { leafIndex, leafHash: hashOut(await tree.leafHash(leafIndex)), proof };
}

/** Runs a read of the tree. @throws Problem `not-found` if the tree does not have the data, `read-only` if the log was changed */
export async function orNotFound<T>(compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (cause) {
    if (cause instanceof RangeError) throw new Problem('not-found', cause.message, { cause });
    if (cause instanceof LeavesChanged) throw new Problem('read-only', cause.message, { cause });
    throw cause;
  }
}

/** Waits until the tree has `size` events. @throws Problem `catching-up`, or `read-only` if the log was tampered with */
export async function requireUntampered(signedLog: SignedLog, size = 0): Promise<void> {
  if (signedLog.tampered === undefined) await requireReady(signedLog, size);
  if (signedLog.tampered === undefined) return;
  const detail = `the log differs from what was signed (${signedLog.tampered.why}); the ledger signs and proves nothing until an operator investigates`;
  throw new Problem('read-only', detail);
}

/** Waits until the tree has `size` events. @throws Problem `catching-up` */
export async function requireReady(signedLog: SignedLog, size = 0): Promise<void> {
  if (!(await signedLog.waitUntilReady(READ_TIMEOUT_MS, size)) && signedLog.tampered === undefined)
    throw treeNotReady(signedLog);
}

/** Returns the problem of a tree that is still being built. */
export function treeNotReady({ tree }: SignedLog): Problem {
  const detail = `the tree of the log is still being built, at position ${tree.size}`;
  return new Problem('catching-up', detail, { retryAfterSeconds: 1 });
}

/** Splits a proof into its hashes of 32 bytes, in base64. */
export function hashesOut(hashes: Uint8Array): string[] {
  return Array.from({ length: hashes.length / 32 }, (_, i) => hashOut(hashes.subarray(32 * i, 32 * i + 32)));
}

export function hashOut(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
