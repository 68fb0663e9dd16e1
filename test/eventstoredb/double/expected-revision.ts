import type { ExpectedRevision } from './records.ts';

/** The expected revision, as append and delete requests carry it. */
interface Options {
  hasAny(): boolean;
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
}

export function readExpected(options: Options, revision: () => string): ExpectedRevision {
  if (options.hasAny()) return 'any';
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasStreamExists()) return 'stream_exists';
  return BigInt(revision());
}
