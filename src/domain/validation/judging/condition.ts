/** Kinds of findings of a run that an operator should know about. */
export const CONDITION_KINDS = [
  'mass-unreachable',
  'flapping',
  'unverifiable',
  'never-verified',
  'credential-expired',
  'certificate-expired',
  'stop-unconfirmed',
  'alive-after-delete',
  'billed-but-missing',
  'running-but-unregistered',
] as const;
export type ConditionKind = (typeof CONDITION_KINDS)[number];

/**
 * A state that is true at the end of a run. Kind and subject identify it: it is raised once, updated while it
 * lasts, and then resolved.
 */
export interface Condition {
  readonly kind: ConditionKind;
  /** Id of a cluster, or name of a shard. */
  readonly subject: string;
  readonly accountId?: string;
  /** Values for the text of the alert. They must not change while the condition stays the same. */
  readonly data: Readonly<Record<string, string | number>>;
}

export function conditionId({ kind, subject }: Pick<Condition, 'kind' | 'subject'>): string {
  return `${kind}:${subject}`;
}
