/** Work of a victim. */
export interface VictimOptions {
  /** Folder of all its files. */
  readonly folder: string;
  readonly seed: number;
  /** Number of things that it does; without end by default. */
  readonly steps?: number;
  /** A kind of work; by default a random one each time. */
  readonly work?: string;
  /** Whether it is only what reads and writes the log, and not a whole ledger with HTTP and webhooks. */
  readonly isLogAlone?: boolean;
  /** URL that gets webhooks from a whole ledger. */
  readonly webhook?: string;
  /** A mistake of a whole ledger: it takes each answer for an acknowledgement. */
  readonly plant?: 'any-answer' | undefined;
}
