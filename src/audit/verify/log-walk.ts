import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import { clusterOf, type Leaf, readFact, UnreadableLeaf } from './billing-fact.ts';
import { Book } from './book.ts';
import type { Statement } from './book-statement.ts';
import {
  type Beginning,
  type Closing,
  isBillingStream,
  periodOf,
  readBeginning,
  readClosing,
  whyNotComputed,
} from './closings.ts';
import { differenceIn } from './compare.ts';
import { Frontier } from './frontier.ts';
import { sumOf } from './measures.ts';
import { Refuted } from './outcome.ts';

/** That the first `size` events of the log have this root hash. */
export interface Expectation {
  /** Who says so, in a sentence. */
  readonly by: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export interface WalkOptions {
  readonly expected: readonly Expectation[];
  /** Whether the statements of all closed periods are computed again. */
  readonly statements: boolean;
  /** Looks at each event besides. @throws Refuted */
  readonly look?: ((index: number, leaf: Leaf) => void) | undefined;
}

/**
 * Goes through a whole log once, from its first event: recomputes the tree, and checks that every stream runs on without a
 * gap, that no id stands twice, that periods close in order, and that the statements are those that were recorded. In memory
 * stay a number per stream and an id per event, some 80 bytes; with the statements, what billing needs of every fact, too.
 */
export class LogWalk {
  readonly #options: WalkOptions;
  readonly #expected: Expectation[];
  readonly #frontier = new Frontier();
  readonly #nextRevision = new Map<string, number>();
  readonly #ids = new Ids();
  readonly #book: Book | undefined;
  readonly #closings: Closing[] = [];
  #beginning: Beginning | undefined;

  /** @throws Refuted */
  constructor(options: WalkOptions) {
    this.#options = options;
    this.#expected = options.expected.toSorted((a, b) => b.size - a.size);
    this.#book = options.statements ? new Book() : undefined;
    this.#compareRoots();
  }

  get size(): number {
    return this.#frontier.size;
  }

  get root(): Uint8Array {
    return this.#frontier.root();
  }

  get streams(): number {
    return this.#nextRevision.size;
  }

  get closings(): readonly Closing[] {
    return this.#closings;
  }

  /** Takes the next event. @throws Refuted if a check fails. */
  add(leaf: Leaf, leafHash: Uint8Array): void {
    const index = this.#frontier.size;
    this.#frontier.append(leafHash);
    this.#compareRoots();
    this.#checkRevision(index + 1, leaf);
    if (!this.#ids.add(leaf.id))
      throw new Refuted(
        'completeness',
        `the event at position ${index + 1} has an id that stood before: ${leaf.id}`,
      );
    this.#options.look?.(index, leaf);
    if (periodOf(leaf.stream) !== undefined) this.#close(index + 1, leaf);
    else if (isBillingStream(leaf.stream)) this.#begin(index + 1, leaf);
    else if (this.#book !== undefined) account(this.#book, index + 1, leaf);
  }

  /** Checks that nothing is missing at the end. @throws Refuted */
  end(): void {
    const next = this.#expected.at(-1);
    if (next === undefined) return;
    const why = `the log has ${this.size} events, fewer than the ${next.size} of ${next.by}: it was cut off`;
    throw new Refuted('consistency', why);
  }

  #compareRoots(): void {
    for (let next = this.#expected.at(-1); next?.size === this.size; next = this.#expected.at(-1)) {
      if (Buffer.compare(next.root, this.root) !== 0) {
        const why = `the first ${next.size} events are not those of ${next.by}: something among them was changed`;
        throw new Refuted('consistency', why);
      }
      this.#expected.pop();
    }
  }

  #checkRevision(position: number, { stream, revision }: Leaf): void {
    const due = this.#nextRevision.get(stream) ?? 0;
    if (revision !== due) {
      const why = `${stream} goes on with revision ${revision}, at position ${position}, where ${due} is due`;
      throw new Refuted('completeness', why);
    }
    this.#nextRevision.set(stream, due + 1);
  }

  /** Only a beginning before the first closing decides; any later one changes nothing. */
  #begin(position: number, leaf: Leaf): void {
    if (this.#beginning !== undefined || this.#closings.length > 0) return;
    const beginning = readBeginning(position, leaf);
    if (typeof beginning === 'string')
      throw new Refuted('statement', `the event at position ${position} ${beginning}`);
    this.#beginning = beginning;
    this.#book?.begin(position);
  }

  #close(position: number, leaf: Leaf): void {
    const closing = readClosing(position, leaf, this.#closings.at(-1), this.#beginning);
    if (typeof closing === 'string')
      throw new Refuted('completeness', `the event at position ${position} ${closing}`);
    this.#closings.push(closing);
    if (this.#book === undefined) return;
    const unknown = whyNotComputed(closing);
    if (unknown !== undefined)
      throw new Refuted('statement', `the closing at position ${position} cannot be compared: ${unknown}`);
    const made = tallyOf(this.#book.close(closing));
    const { accounts, totals, statementsDigest } = leaf.data;
    const why = differenceIn(`${closing.period}`, { accounts, totals, statementsDigest }, made);
    if (why !== undefined)
      throw new Refuted('statement', `the closing at position ${position} is not that of its facts: ${why}`);
  }
}

/** @throws Refuted */
function account(book: Book, position: number, leaf: Leaf): void {
  const clusterId = clusterOf(leaf.stream);
  if (clusterId === undefined) return;
  try {
    book.add(readFact(position, clusterId, leaf));
  } catch (error) {
    if (!(error instanceof UnreadableLeaf)) throw error;
    throw new Refuted(
      'statement',
      `the event at position ${position} cannot be accounted for: ${error.message}`,
    );
  }
}

/** Returns the totals and the digest of statements, as their closing records them. */
function tallyOf(statements: readonly Statement[]): object {
  const digest = createHash('sha256').update('[');
  for (const [i, statement] of statements.entries())
    digest.update(`${i === 0 ? '' : ','}${canonicalJson(statement as never)}`);
  return {
    accounts: statements.length,
    totals: sumOf(statements.map(({ total }) => total)),
    statementsDigest: digest.update(']').digest('hex'),
  };
}

/** The ids of the events read so far, in many small sets, since one set holds at most 16 million. */
class Ids {
  readonly #sets = Array.from({ length: 256 }, () => new Set<string>());

  /** @returns whether it is new. */
  add(id: string): boolean {
    const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
    const set = this.#sets[bytes[0] ?? 0] as Set<string>;
    const { size } = set;
    return set.add(bytes.toString('latin1')).size > size;
  }
}
