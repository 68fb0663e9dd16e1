import { readFileSync } from 'node:fs';

/** An event to append: its id, which is its body too, or the two told apart, or so many bytes. */
export type GoldenEvent =
  | string
  | { readonly id: string; readonly body?: string; readonly bytes?: number; readonly metaBytes?: number };

export type GoldenExpected = 'any' | 'no_stream' | 'stream_exists' | number;

/** What a call answered: a value of its own, or an error as the client reports it. */
export type GoldenAnswer = Readonly<Record<string, unknown>>;

export interface AppendStep {
  readonly op: 'append';
  readonly stream: string;
  readonly events: readonly GoldenEvent[];
  readonly expected: GoldenExpected;
  /** The name under which later steps refer to where this was written. */
  readonly as?: string;
}

export interface ReadStep {
  readonly op: 'read';
  readonly stream: string;
  readonly from?: number | 'end';
  readonly direction?: 'forwards' | 'backwards';
  readonly max?: number;
}

export interface ReadAllStep {
  readonly op: 'readAll';
  /** The `as` of an append, or the end. */
  readonly from: string;
  readonly direction?: 'forwards' | 'backwards';
  readonly max?: number;
}

export interface DeleteStep {
  readonly op: 'softDelete' | 'tombstone';
  readonly stream: string;
  readonly expected?: number;
}

export interface SetMetadataStep {
  readonly op: 'setMetadata';
  readonly stream: string;
  readonly metadata: Readonly<Record<string, number>>;
}

export interface SubscribeStep {
  readonly op: 'subscribe';
  /** What is followed; where it is missing, $all. */
  readonly stream?: string;
  /** Prefix of the streams to see in $all. */
  readonly filter?: string;
  /** A revision, the `as` of an append, or the end. */
  readonly from?: number | string;
  /** What is appended once it has caught up. */
  readonly then?: readonly AppendStep[];
  readonly answer: { readonly log: readonly unknown[] };
}

export type CallStep = AppendStep | ReadStep | ReadAllStep | DeleteStep | SetMetadataStep;

export type GoldenStep = (CallStep & { readonly answer: GoldenAnswer }) | SubscribeStep;

export interface GoldenCase {
  readonly case: string;
  readonly steps: readonly GoldenStep[];
}

/** What a running server answered, as recorded. */
export function readGoldenCases(): readonly GoldenCase[] {
  const file = new URL('../golden/eventstoredb.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: GoldenCase[] };
  return cases;
}
