/** An event as the log holds it. */
export interface LogEvent {
  readonly stream: string;
  readonly id: string;
  /** Place in its stream, from 0n without gaps; of a tombstone the highest there is. */
  readonly revision: bigint;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  /** Start of its record in the log: commit and prepare position are the same. */
  readonly position: bigint;
  /** End of its record, which is the start of the next one. */
  readonly end: bigint;
  /** When it was written, in ms since the epoch. */
  readonly createdAt: number;
}

/** An event as a client sends it. */
export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export type ExpectedRevision = 'any' | 'no_stream' | 'stream_exists' | bigint;

/** How the log answers a write. */
export type WriteOutcome =
  | { readonly result: 'success'; readonly lastRevision: bigint; readonly position: bigint | undefined }
  | { readonly result: 'wrong-expected-revision'; readonly current: bigint }
  | { readonly result: 'stream-deleted' };

/** The same, or what the server makes of a write over which it stumbles. */
export type WriteResult = WriteOutcome | { readonly result: 'no-answer' };

/** The revision of a stream that holds nothing. */
export const NO_REVISION = -1n;

/** The revision of a tombstone, and the `$tb` that marks a soft-deleted stream. */
export const HIGHEST_REVISION = 2n ** 63n - 1n;

export const METADATA_TYPE = '$metadata';
export const TOMBSTONE_TYPE = '$streamDeleted';

export const metastreamOf = (stream: string): string => `$$${stream}`;

export const isMetastream = (stream: string): boolean => stream.startsWith('$$');

export const originalOf = (metastream: string): string => metastream.slice(2);
