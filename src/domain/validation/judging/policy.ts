import { z } from 'zod';
import { AccountId, ClusterId, line } from '../../facts/fact.ts';
import { RECORDS_LABEL } from '../../kubefirst/registration.ts';
import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS, SECOND_MS } from '../../time.ts';

const UNITS = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS } as const;

/** A duration such as `15m`, parsed to milliseconds. */
export const Duration = z
  .string()
  .regex(/^(0|[1-9]\d{0,5})(ms|s|m|h|d)$/, 'must be a whole number with its unit: ms, s, m, h or d')
  .transform((text) => {
    const [, count, unit] = /^(\d+)(\w+)$/.exec(text) as unknown as [string, string, keyof typeof UNITS];
    return Number(count) * UNITS[unit];
  });

/** A share such as `0.2`, parsed to parts per thousand. */
const Share = z
  .union([z.string(), z.number()], { error: 'must be a share such as 0.2' })
  .transform(String)
  .pipe(
    z
      .string()
      .regex(/^(0(\.\d{1,3})?|1(\.0{1,3})?)$/, 'must be from 0 to 1 with at most 3 decimal places')
      .transform((text) => {
        const [whole, fraction = ''] = text.split('.') as [string, string?];
        return Number(whole) * 1_000 + Number(fraction.padEnd(3, '0'));
      }),
  )
  .meta({
    anyOf: [
      { type: 'string', pattern: '^(0(\\.\\d{1,3})?|1(\\.0{1,3})?)$' },
      { type: 'number', minimum: 0, maximum: 1, multipleOf: 0.001 },
    ],
  });

export const MODES = ['observe', 'notify', 'enforce'] as const;
export const STOP_EFFECTIVE = ['last-alive', 'first-unreachable', 'decision'] as const;
export const CONFIRM_WITH = ['none', 'inventory', 'auto'] as const;

/** Maximum number of flips kept per cluster, and so the upper bound of `flapLimit`. */
export const MAX_FLIPS = 48;

const count = (least: number, most: number) => z.int().min(least).max(most);

/** Settings that can differ per account or label. */
const shape = {
  unreachableAfter: count(1, 1_000).describe('Bad verdicts in a row after which a cluster is unreachable.'),
  unreachableFor: Duration.describe('Minimum time that these verdicts span.'),
  stopAfter: Duration.describe('Time since the first bad verdict of the streak after which billing stops.'),
  stopEffective: z.enum(STOP_EFFECTIVE).describe('From when the stop takes effect.'),
  confirmWith: z
    .enum(CONFIRM_WITH)
    .describe(
      'Whether a stop also needs the inventory to say that the cluster is gone. auto: only if what was seen can also be a new certificate authority. inventory: always. none: never.',
    ),
  stopNeverSeen: z
    .boolean()
    .describe('Whether silence also stops the billing of a cluster that has never been seen alive.'),
  missingFor: z
    .union([z.literal(['records', 'off']), Duration], {
      error: 'must be records, off, or a whole number with its unit: ms, s, m, h or d',
    })
    .describe(
      'Time for which the inventory no longer lists a cluster, after which billing stops. records: 24 h for the clusters that the records of Kubefirst have registered, and never for others. off: never.',
    ),
  reachableAfter: count(1, 1_000).describe('Good verdicts in a row after which a cluster is reachable.'),
  flapLimit: count(2, MAX_FLIPS).describe(
    'More changes than this between good and bad in 24 h are flapping.',
  ),
  watchDeletedFor: Duration.describe('For how long deleted clusters are probed.'),
  mode: z
    .enum(MODES)
    .describe(
      'observe: only record what would be done. notify: also record which clusters are unreachable. enforce: also stop and resume billing.',
    ),
} as const;

/** Thresholds for one cluster; times in milliseconds. */
export type Thresholds = { readonly [K in keyof typeof shape]: z.output<(typeof shape)[K]> };

const DEFAULTS = {
  unreachableAfter: 3,
  unreachableFor: '15m',
  stopAfter: '24h',
  stopEffective: 'last-alive',
  confirmWith: 'auto',
  stopNeverSeen: false,
  missingFor: 'records',
  reachableAfter: 1,
  flapLimit: 6,
  watchDeletedFor: '14d',
  mode: 'enforce',
} as const satisfies { [K in keyof typeof shape]: z.input<(typeof shape)[K]> };

/** Settings of the outage breaker, for the whole fleet. They cannot differ per account. */
const breakerShape = {
  outageRatio: Share.prefault('0.2').describe(
    'The breaker opens if at least this share of the clusters turns bad.',
  ),
  outageMinClusters: count(1, 1_000_000)
    .prefault(5)
    .describe('Minimum number of clusters that must turn bad.'),
  outageWindow: Duration.prefault('1h').describe(
    'Time within which they turn bad, or one run if that is longer.',
  ),
  canaries: z
    .array(ClusterId)
    .max(100)
    .prefault([])
    .describe('Clusters that are known to be up. If one of them is bad, the breaker opens.'),
};

const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 - and begin with a letter or digit');
const Version = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -');

const Match = z.strictObject({
  accounts: z.array(AccountId).min(1).max(1_000).optional().describe('Accounts that the policy applies to.'),
  labels: z
    .record(line(128), z.string().max(256))
    .optional()
    .describe('Labels that a cluster must have, each with this value.'),
});

const Override = z.strictObject({
  name: Name.refine(
    (name) => name !== 'default',
    'must not be default, which is the name of the policy without exceptions',
  ),
  version: Version.optional(),
  match: Match,
  ...z.object(shape).partial().shape,
});

/** Settings of the policy, as an operator writes them. */
export const PolicySettings = z.strictObject({
  version: Version.optional().describe('Name of this version of the settings; by default a hash of them.'),
  ...withDefaults(),
  ...breakerShape,
  policies: z
    .array(Override)
    .max(100)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'must have unique names')
    .prefault([])
    .describe('Exceptions for some clusters. The first one that matches applies.'),
});
export type PolicySettings = z.output<typeof PolicySettings>;

function withDefaults() {
  return {
    unreachableAfter: shape.unreachableAfter.prefault(DEFAULTS.unreachableAfter),
    unreachableFor: shape.unreachableFor.prefault(DEFAULTS.unreachableFor),
    stopAfter: shape.stopAfter.prefault(DEFAULTS.stopAfter),
    stopEffective: shape.stopEffective.prefault(DEFAULTS.stopEffective),
    confirmWith: shape.confirmWith.prefault(DEFAULTS.confirmWith),
    stopNeverSeen: shape.stopNeverSeen.prefault(DEFAULTS.stopNeverSeen),
    missingFor: shape.missingFor.prefault(DEFAULTS.missingFor),
    reachableAfter: shape.reachableAfter.prefault(DEFAULTS.reachableAfter),
    flapLimit: shape.flapLimit.prefault(DEFAULTS.flapLimit),
    watchDeletedFor: shape.watchDeletedFor.prefault(DEFAULTS.watchDeletedFor),
    mode: shape.mode.prefault(DEFAULTS.mode),
  };
}

/** Thresholds of the outage breaker. */
export interface BreakerSettings {
  /** Share in parts per thousand. */
  readonly outageRatio: number;
  readonly outageMinClusters: number;
  /** Duration in milliseconds. */
  readonly outageWindow: number;
  readonly canaries: readonly string[];
}

/** Thresholds for some clusters, with the name that facts record. */
export interface Policy extends Thresholds {
  /** `name@version`, or `name@hash` if no version is set. */
  readonly policy: string;
}

export interface Policies {
  readonly breaker: BreakerSettings;
  readonly fallback: Policy;
  readonly exceptions: readonly { readonly match: z.output<typeof Match>; readonly policy: Policy }[];
  /** Hash that changes whenever a threshold changes. */
  readonly digest: string;
}

/** Properties of a cluster that select its policy. */
export interface PolicySubject {
  readonly accountId: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export function policiesOf(settings: PolicySettings): Policies {
  const { version, policies, outageRatio, outageMinClusters, outageWindow, canaries, ...fallback } = settings;
  const breaker = { outageRatio, outageMinClusters, outageWindow, canaries: [...canaries].sort() };
  const named = (name: string, version: string | undefined, thresholds: Thresholds): Policy => ({
    policy: `${name}@${version ?? digestOf({ ...thresholds, ...digestedBreaker(breaker) })}`,
    ...thresholds,
  });
  const exceptions = policies.map(({ name, version: ownVersion, match, ...thresholds }) => {
    const overrides = Object.fromEntries(
      Object.entries(thresholds).filter(([, value]) => value !== undefined),
    );
    return { match, policy: named(name, ownVersion, { ...fallback, ...overrides }) };
  });
  const all = { breaker, fallback: named('default', version, fallback), exceptions };
  return { ...all, digest: digestOf({ ...all, breaker: digestedBreaker(breaker) }) };
}

/**
 * Returns the breaker settings under their first names: digests are recorded with facts, so renaming a setting must
 * not change them.
 */
function digestedBreaker({ outageRatio, outageMinClusters, outageWindow, canaries }: BreakerSettings) {
  return { massRatio: outageRatio, massLeast: outageMinClusters, massWindow: outageWindow, canaries };
}

/** Returns the policy of a cluster: the first exception that matches, or the default. */
export function policyFor({ exceptions, fallback }: Policies, cluster: PolicySubject): Policy {
  return exceptions.find(({ match }) => matches(match, cluster))?.policy ?? fallback;
}

/** Time that `missingFor: records` stands for. */
const RECORDS_MISSING_FOR = DAY_MS;

/** Returns how long the inventory must not list a cluster before its billing stops, in ms; `undefined` for never. */
export function missingForOf({ missingFor }: Thresholds, { labels }: PolicySubject): Instant | undefined {
  if (missingFor === 'off') return undefined;
  if (missingFor !== 'records') return missingFor;
  return labels?.[RECORDS_LABEL] === undefined ? undefined : RECORDS_MISSING_FOR;
}

/** Returns the longest time, in ms, that any of the policies waits before it stops billing. */
export function longestWait({ fallback, exceptions }: Policies): Instant {
  const waits = [fallback, ...exceptions.map(({ policy }) => policy)].map(
    ({ stopAfter, unreachableFor, missingFor }) =>
      Math.max(stopAfter + unreachableFor, typeof missingFor === 'number' ? missingFor : RECORDS_MISSING_FOR),
  );
  return Math.max(...waits);
}

function matches({ accounts, labels }: z.output<typeof Match>, cluster: PolicySubject): boolean {
  if (accounts !== undefined && !accounts.includes(cluster.accountId)) return false;
  return Object.entries(labels ?? {}).every(([label, value]) => cluster.labels?.[label] === value);
}

/** Returns a short hash of a value: 64-bit FNV-1a over its JSON with sorted keys, in hex. It is not cryptographic. */
export function digestOf(value: unknown): string {
  let hash = 0xcbf29ce484222325n;
  for (const char of sortedJson(value)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(char.codePointAt(0) as number)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${sortedJson(inner)}`).join(',')}}`;
}
