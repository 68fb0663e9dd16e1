import { canonicalJson } from '../../../src/audit/canonical-json.ts';

/** Ways to change an evidence file: blindly, byte by byte, and with care, as somebody who knows the form would. */

export type Dice = (below: number) => number;

/** A generator of numbers that a seed begins: mulberry32. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a mutation changes values of every shape.
type Any = any;
type Mutation = (bytes: Buffer, dice: Dice, other: Any) => Buffer;

const cut = (bytes: Buffer, from: number, to: number, instead: Uint8Array = Buffer.alloc(0)) =>
  Buffer.concat([bytes.subarray(0, from), instead, bytes.subarray(to)]);

const ofBytes: Record<string, Mutation> = {
  'a flipped bit': (bytes, dice) => {
    const copy = Buffer.from(bytes);
    const at = dice(bytes.length);
    copy[at] = (copy[at] as number) ^ (1 << dice(8));
    return copy;
  },
  'bytes left out': (bytes, dice) => {
    const at = dice(bytes.length);
    return cut(bytes, at, at + 1 + dice(40));
  },
  'bytes put in': (bytes, dice) => {
    const at = dice(bytes.length);
    return cut(bytes, at, at, Buffer.from([dice(256), 0x20, 0x22].slice(0, 1 + dice(3))));
  },
  'bytes repeated': (bytes, dice) => {
    const at = dice(bytes.length);
    return cut(bytes, at, at, bytes.subarray(at, at + 1 + dice(400)));
  },
  'an end cut off': (bytes, dice) => bytes.subarray(0, dice(bytes.length)),
  'white space': (bytes, dice) => {
    const at = dice(2) === 0 ? bytes.length : bytes.indexOf(',', dice(bytes.length - 200)) + 1;
    return cut(bytes, at, at, Buffer.from([' ', '\n', '\t', '\r\n'][dice(4)] as string));
  },
  'a changed digit': (bytes, dice) => {
    const copy = Buffer.from(bytes);
    let at = dice(bytes.length);
    while (!/\d/.test(String.fromCharCode(copy[at % copy.length] as number))) at++;
    copy[at % copy.length] = 48 + (((copy[at % copy.length] as number) - 48 + 1 + dice(9)) % 10);
    return copy;
  },
};

/** A change of the parsed file, which is then written as the ledger would write it. */
const written =
  (change: (file: Any, dice: Dice, other: Any) => void): Mutation =>
  (bytes, dice, other) => {
    const file = JSON.parse(bytes.toString('utf8'));
    change(file, dice, structuredClone(other));
    return Buffer.from(`${canonicalJson(file)}\n`);
  };

interface Place {
  readonly parent: Any;
  readonly key: string;
}

function placesIn(value: Any): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => [{ parent: value, key }, ...placesIn(value[key])]);
}

const pick = <T>(list: readonly T[], dice: Dice): T => list[dice(list.length)] as T;
const lists = (file: Any): Any[][] =>
  placesIn(file)
    .map(({ parent, key }) => parent[key])
    .filter(Array.isArray);
const filled = (file: Any, least: number) => lists(file).filter((list) => list.length >= least);
const facts = (file: Any): Any[] => file.evidence.clusters.flatMap((cluster: Any) => cluster.facts);
const entries = (file: Any): Any[] => {
  const { beginning, closings } = file.evidence;
  return [...facts(file), ...closings, ...(beginning === undefined ? [] : [beginning])];
};

const ofValues: Record<string, Mutation> = {
  'a member left out': written((file, dice) => {
    const { parent, key } = pick(placesIn(file), dice);
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete parent[key];
  }),
  'a member put in': written((file, dice) => {
    const objects = placesIn(file).map(({ parent }) => parent);
    const parent = pick(objects, dice);
    if (Array.isArray(parent)) parent.push(pick(['x', 0, null, {}], dice));
    else
      parent[pick(['x', 'note', '__proto__', 'statement', 'usage'], dice)] = pick([1, 'x', null, {}], dice);
  }),
  'an element twice': written((file, dice) => {
    const list = pick(filled(file, 1), dice);
    list.splice(dice(list.length + 1), 0, pick(list, dice));
  }),
  'elements in another order': written((file, dice) => {
    const list = pick(filled(file, 2), dice);
    list.push(...list.splice(0, 1 + dice(list.length - 1)));
  }),
  'two values changed for one another': written((file, dice) => {
    const all = placesIn(file);
    const one = pick(all, dice);
    const kind = typeof one.parent[one.key];
    const same = all.filter(({ parent, key }) => typeof parent[key] === kind && kind !== 'object');
    if (same.length === 0) return;
    const other = pick(same, dice);
    [one.parent[one.key], other.parent[other.key]] = [other.parent[other.key], one.parent[one.key]];
  }),
  'a changed value': written((file, dice) => {
    const { parent, key } = pick(placesIn(file), dice);
    const value = parent[key];
    if (typeof value === 'number') parent[key] = value + 1 - 2 * dice(2);
    else if (typeof value === 'boolean') parent[key] = !value;
    else if (typeof value === 'string')
      parent[key] = value.replace(/[0-9a-f]/, (digit) =>
        ((Number.parseInt(digit, 16) + 1) % 16).toString(16),
      );
    else parent[key] = null;
  }),
  'the proof of another event': written((file, dice) => {
    pick(entries(file), dice).proof = pick(entries(file), dice).proof;
  }),
  'a whole event in the place of another': written((file, dice) => {
    Object.assign(pick(entries(file), dice), structuredClone(pick(entries(file), dice)));
  }),
  'the last fact of a cluster left out': written((file, dice) => {
    const cluster = pick(file.evidence.clusters as Any[], dice);
    cluster.facts.pop();
    if (cluster.facts.length === 0) file.evidence.clusters.splice(file.evidence.clusters.indexOf(cluster), 1);
  }),
  'a cluster left out': written((file, dice) => {
    file.evidence.clusters.splice(dice(file.evidence.clusters.length), 1);
  }),
  'a cluster of another account put in': written((file, dice, other) => {
    file.evidence.clusters.push(pick(other.evidence.clusters as Any[], dice));
    file.evidence.clusters.sort((a: Any, b: Any) => (a.clusterId < b.clusterId ? -1 : 1));
  }),
  'the last closing left out': written((file) => {
    file.evidence.closings.pop();
  }),
  'the statement of another account': written((file, dice, other) => {
    file.evidence.statement = other.evidence.statement;
    if (dice(2) === 0) file.evidence.statement.accountId = file.evidence.accountId;
  }),
  'the part of another file': written((file, dice, other) => {
    const key = pick(Object.keys(other.evidence), dice);
    file.evidence[key] = other.evidence[key];
  }),
  'the seal of another file': written((file, _, other) => {
    file.seal = other.seal;
  }),
};

export const mutations: Readonly<Record<string, Mutation>> = { ...ofBytes, ...ofValues };
