/** How long each wait on the server may be, in ms: the client itself would often wait for ever. */
export interface Timings {
  /** For the answer to one attempt of an append. An election takes up to some 3 s. */
  readonly appendMs: number;
  /** For the next event of a read. */
  readonly readMs: number;
  /** For the confirmation of a subscription. */
  readonly confirmMs: number;
  /** For any sign of life of a subscription; after that it is made anew, since it may be dead without knowing. */
  readonly silenceMs: number;
}

export const TIMINGS: Timings = { appendMs: 3_000, readMs: 5_000, confirmMs: 5_000, silenceMs: 10_000 };
