/** Maximum duration of each wait for the server, in ms. The client has no time limit of its own for most of them. */
export interface Timings {
  /** For the acknowledgement of one append. The election of a leader takes about 3 s. */
  readonly appendMs: number;
  /** For the next event of a read. */
  readonly readMs: number;
  /** For the confirmation of a subscription. */
  readonly confirmMs: number;
  /** For any message of a subscription. Then the subscription is replaced: a broken connection may not report an error. */
  readonly silenceMs: number;
  /** For an answer of any kind, after which an outage counts as known, and appends are refused at once. */
  readonly outageMs: number;
}

export const TIMINGS: Timings = {
  appendMs: 3_000,
  readMs: 5_000,
  confirmMs: 5_000,
  silenceMs: 10_000,
  outageMs: 5_000,
};
