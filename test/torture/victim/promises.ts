import { writeSync } from 'node:fs';

/** A fact as it was acknowledged. */
export interface Acknowledged {
  readonly eventId: string;
  readonly position: number;
  readonly recordedAt: string;
}

/** Promises of a ledger to its clients, which must hold after everything that happens to it. */
export interface Promises {
  readonly facts: Acknowledged[];
  /** Digests of the statements of closed periods, by period. */
  readonly closings: Map<string, string>;
  /** Signed checkpoints: number of events and root hash. */
  readonly checkpoints: { readonly size: number; readonly root: string }[];
}

/** A line that a victim prints. */
export type Line =
  | { readonly ready: { readonly head: number; readonly ok: boolean; readonly detail: string } }
  | { readonly fact: Acknowledged }
  | { readonly closed: { readonly period: string; readonly digest: string } }
  | { readonly signed: { readonly size: number; readonly root: string } }
  /** The ledger asked to be ended. */
  | { readonly failed: string }
  /** A backup is about to be made, or restored. */
  | { readonly copying: string }
  | { readonly done: true };

/** Prints a promise at once: a killed process could not flush it. Waits while the pipe is full, because its reader is busy. */
export function print(line: Line): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Prints the promise of a signed checkpoint. @param note its text: the origin, the number of events, the root hash, … */
export function printSigned(note: string): void {
  const [, size = '', root = ''] = note.split('\n');
  print({ signed: { size: Number(size), root } });
}

export function noPromises(): Promises {
  return { facts: [], closings: new Map(), checkpoints: [] };
}

/** Adds what a line of a victim promises. @returns what contradicts an earlier promise, in words */
export function addPromise(promises: Promises, line: Line): string | undefined {
  if ('fact' in line) promises.facts.push(line.fact);
  if ('signed' in line) promises.checkpoints.push(line.signed);
  if ('closed' in line) {
    const { period, digest } = line.closed;
    const first = promises.closings.get(period) ?? digest;
    promises.closings.set(period, first);
    if (first !== digest) return `${period} was closed with ${first} and then with ${digest}`;
  }
  return undefined;
}

/** Parses complete lines; the last one may have been torn. */
export function parseLines(output: string): Line[] {
  return output
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
}
