import type { SignedLog } from '../audit/signed-log.ts';
import { LeavesChanged } from '../audit/tree.ts';
import { READ_TIMEOUT_MS } from '../projections/wait-limits.ts';
import type { Position } from '../util/log-numbers.ts';
import type { HttpServices } from './server/app.ts';
import { Problem } from './server/problem.ts';
import { behind } from './server/problem-for.ts';

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

/** The signed log, and whether events of it are missing. */
type LogServices = Pick<HttpServices, 'signedLog' | 'latch'>;

/** Waits until the tree has `size` events. @throws Problem `catching-up`, or `read-only` if the log was tampered with or lacks events */
export async function requireUntampered(services: LogServices, size = 0): Promise<void> {
  await requireReady(services, size);
  const { tampered } = services.signedLog;
  if (tampered === undefined) return;
  const detail = `the log differs from what was signed (${tampered.why}); the ledger signs and proves nothing until an operator investigates`;
  throw new Problem('read-only', detail);
}

/**
 * Waits until the tree has `size` events. Does not wait for the tree of a log that was tampered with: it still answers what it has.
 * @throws Problem `catching-up`, or `read-only` if the log lacks events, because its tree is never built then
 */
export async function requireReady({ signedLog, latch }: LogServices, size = 0): Promise<void> {
  const isFinal = () => signedLog.tampered !== undefined || latch.loss !== undefined;
  if (!isFinal() && !(await signedLog.waitUntilReady(READ_TIMEOUT_MS, size)) && !isFinal())
    throw treeNotReady(signedLog);
  requireComplete(latch);
}

/** @throws Problem `read-only` if the log lacks events */
function requireComplete({ loss }: LogServices['latch']): void {
  if (loss !== undefined) throw new Problem('read-only', `${behind(loss.why)}; nothing is signed or proved`);
}

/** @throws Problem `catching-up`, `read-only` as `requireReady` does */
export function requireIdentified({ signedLog, latch }: LogServices): void {
  if (signedLog.isIdentified) return;
  requireComplete(latch);
  throw treeNotReady(signedLog);
}

function treeNotReady({ tree }: SignedLog): Problem {
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
