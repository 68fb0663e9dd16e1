import type { KubefirstIngest } from '../ledger/kubefirst-ingest.ts';

/** The state of the followed Kubefirst records. */
export interface RecordsStatus {
  /** Name of the place of the records. */
  readonly name: string;
  readonly state: 'starting' | 'following' | 'unreadable';
  /** Start of the current state. */
  readonly since: number;
  readonly why?: string;
  readonly clusters: number;
  readonly unusable: readonly { readonly name: string; readonly field: string }[];
  /** Billed clusters whose record is gone without a deletion. */
  readonly missing: readonly string[];
}

/** The Kubefirst source: telemetry and records. */
export interface KubefirstServices {
  readonly intake: KubefirstIngest;
  /** Key that telemetry must send; `undefined` to accept telemetry from any client. */
  readonly writeKey: string | undefined;
  readonly pricePerHour: string | undefined;
  /** Returns the state of the records of each management cluster; empty if none are followed. */
  readonly records: () => readonly RecordsStatus[];
}
