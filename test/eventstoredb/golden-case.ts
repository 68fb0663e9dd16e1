import { readFileSync } from 'node:fs';

/** An event to append: an id that is also its body, or both separately, or a number of bytes. */
export type GoldenEvent =
  | string
  | { readonly id: string; readonly body?: string; readonly bytes?: number; readonly metaBytes?: number };

export type GoldenExpected = 'any' | 'no_stream' | 'stream_exists' | number;

/** The answer to a call: a value, or an error as the client reports it. */
export type GoldenAnswer = Readonly<Record<string, unknown>>;

export interface AppendStep {
  readonly op: 'append';
  readonly stream: string;
  readonly events: readonly GoldenEvent[];
  readonly expected: GoldenExpected;
  /** Name by which later steps refer to the position of this event. */
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
  /** The stream to follow; `$all` if absent. */
  readonly stream?: string;
  /** Prefix of the streams to see in $all. */
  readonly filter?: string;
  /** A revision, the `as` of an append, or the end. */
  readonly from?: number | string;
  /** Events to append after the subscription has caught up. */
  readonly then?: readonly AppendStep[];
  readonly answer: { readonly log: readonly unknown[] };
}

export type CallStep = AppendStep | ReadStep | ReadAllStep | DeleteStep | SetMetadataStep;

export type GoldenStep = (CallStep & { readonly answer: GoldenAnswer }) | SubscribeStep;

export interface GoldenCase {
  readonly case: string;
  readonly steps: readonly GoldenStep[];
}

/** The recorded answers of a running server. */
export function readGoldenCases(): readonly GoldenCase[] {
  const file = new URL('../golden/eventstoredb.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: GoldenCase[] };
  return cases;
}
