import type { KubefirstIngest } from '../ledger/kubefirst-ingest.ts';

/** What is known of the records of Kubefirst that are followed. */
export interface RecordsStatus {
  readonly state: 'starting' | 'following' | 'unreadable';
  /** Since when it has been in this state. */
  readonly since: number;
  readonly why?: string;
  readonly clusters: number;
  readonly unusable: readonly { readonly name: string; readonly field: string }[];
  /** Billed clusters whose record is gone without a deletion. */
  readonly missing: readonly string[];
}

/** How Kubefirst is listened to. */
export interface KubefirstServices {
  readonly intake: KubefirstIngest;
  /** What telemetry must show; without it whoever reaches the ledger may post. */
  readonly writeKey: string | undefined;
  readonly pricePerHour: string | undefined;
  /** Absent where no records are followed. */
  readonly records: (() => RecordsStatus) | undefined;
}
