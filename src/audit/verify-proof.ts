/**
 * Verification of proofs by the algorithms of RFC 9162. It shares no code with the tree that creates proofs, so that a verifier
 * need not trust the server. Numbers go up to 2^53 - 1, hashes have 32 bytes, and a proof is a concatenation of hashes.
 */

import { hash } from 'node:crypto';

const HASH_BYTES = 32;

/**
 * Returns whether a proof shows that the leaf at `index` of the tree of `size` leaves with hash `root` has hash `leafHash`
 * (RFC 9162, section 2.1.3.2). A malformed proof shows nothing.
 */
export function verifyInclusion(
  proof: Uint8Array,
  index: number,
  size: number,
  leafHash: Uint8Array,
  root: Uint8Array,
): boolean {
  const path = hashesOf(proof);
  if (path === undefined || !isHash(leafHash)) return false;
  if (!isCount(index) || !isCount(size) || index >= size) return false;
  let fn = index;
  let sn = size - 1;
  let r = leafHash;
  for (const p of path) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      r = hashNode(p, r);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      r = hashNode(r, p);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && isEqual(r, root);
}

/**
 * Returns whether a proof shows that the tree of `to` leaves with hash `toRoot` begins with the tree of `from` leaves with hash
 * `fromRoot` (RFC 9162, section 2.1.4.2). The proof must be empty if the sizes are equal (then the hashes must be equal) or if
 * `from` is 0 (then `fromRoot` must be the hash of the empty tree).
 */
export function verifyConsistency(
  proof: Uint8Array,
  from: number,
  to: number,
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
): boolean {
  const path = hashesOf(proof);
  if (path === undefined || !isHash(fromRoot) || !isHash(toRoot)) return false;
  if (!isCount(from) || !isCount(to) || from > to) return false;
  if (from === to) return path.length === 0 && isEqual(fromRoot, toRoot);
  if (from === 0) return path.length === 0 && isEqual(fromRoot, hash('sha256', '', 'buffer'));
  if (path.length === 0) return false;
  if (isPowerOfTwo(from)) path.unshift(fromRoot);
  let fn = from - 1;
  let sn = to - 1;
  while (isOdd(fn)) {
    fn = half(fn);
    sn = half(sn);
  }
  let [fr, sr] = [path[0] as Uint8Array, path[0] as Uint8Array];
  for (const c of path.slice(1)) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      fr = hashNode(c, fr);
      sr = hashNode(c, sr);
      while (!isOdd(fn) && fn !== 0) {
        fn = half(fn);
        sn = half(sn);
      }
    } else {
      sr = hashNode(sr, c);
    }
    fn = half(fn);
    sn = half(sn);
  }
  return sn === 0 && isEqual(fr, fromRoot) && isEqual(sr, toRoot);
}

function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([Uint8Array.of(1), left, right]), 'buffer');
}

function hashesOf(proof: Uint8Array): Uint8Array[] | undefined {
  if (proof.length % HASH_BYTES !== 0) return undefined;
  return Array.from({ length: proof.length / HASH_BYTES }, (_, i) =>
    proof.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_BYTES;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

/** Shifts right by one. Works beyond 32 bits. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
