/** The question to the verifier. */
export interface VerificationAsked {
  /** Bytes of the evidence file. */
  readonly file: ArrayBuffer;
  /** Keys in verifier form, from a source that the viewer trusts. */
  readonly keys: readonly string[];
  /** A signed checkpoint of the same log, kept from before. */
  readonly olderCheckpoint: string | undefined;
}

/** The checks, in the order in which they are made. */
export const CHECKS = [
  'format',
  'signature',
  'inclusion',
  'consistency',
  'completeness',
  'statement',
  'seal',
] as const;
export type Check = (typeof CHECKS)[number];

/** The facts that were proved, or the first check that failed and why. */
export type Verdict =
  | {
      readonly ok: true;
      readonly summary: {
        readonly origin: string;
        readonly accountId: string;
        readonly period: string;
        /** Number of events in the log that the checkpoint covers. */
        readonly size: number;
        readonly clusters: number;
        readonly facts: number;
        readonly closings: number;
        readonly figure: 'statement' | 'no statement' | 'usage';
        /** Size of the older checkpoint that was compared; `undefined` if none was given. */
        readonly consistentSince: number | undefined;
        /** Names of the given keys that sealed the file. */
        readonly sealedBy: readonly string[];
      };
    }
  | { readonly ok: false; readonly check: Check; readonly why: string };
