/** What a run can find that somebody should hear of. */
export const CONDITION_KINDS = [
  'mass-unreachable',
  'flapping',
  'unverifiable',
  'stop-unconfirmed',
  'alive-after-delete',
  'billed-but-missing',
  'running-but-unregistered',
] as const;
export type ConditionKind = (typeof CONDITION_KINDS)[number];

/** Something that holds: kind and subject name it, so that it is raised once, updated while it lasts, and resolved. */
export interface Condition {
  readonly kind: ConditionKind;
  /** A cluster, or a shard. */
  readonly subject: string;
  readonly accountId?: string;
  /** For the words of the alert; must not change while nothing else does. */
  readonly data: Readonly<Record<string, string | number>>;
}

export function conditionId({ kind, subject }: Pick<Condition, 'kind' | 'subject'>): string {
  return `${kind}:${subject}`;
}
