import { describe, expect, test } from 'vitest';
import {
  digestOf,
  longestWait,
  missingForOf,
  PolicySettings,
  policiesOf,
  policyFor,
} from '../../../../src/domain/validation/judging/policy.ts';
import { policies } from '../fleet.ts';

const MINUTE = 60_000;

describe('policy settings', () => {
  test('have the documented defaults', () => {
    expect(PolicySettings.parse({})).toEqual({
      unreachableAfter: 3,
      unreachableFor: 15 * MINUTE,
      stopAfter: 24 * 60 * MINUTE,
      stopEffective: 'last-alive',
      confirmWith: 'auto',
      stopNeverSeen: false,
      missingFor: 'records',
      reachableAfter: 1,
      flapLimit: 6,
      watchDeletedFor: 14 * 24 * 60 * MINUTE,
      mode: 'enforce',
      outageRatio: 200,
      outageMinClusters: 5,
      outageWindow: 60 * MINUTE,
      canaries: [],
      policies: [],
    });
  });

  test.each([
    ['0.2', 200],
    [0.2, 200],
    ['0.125', 125],
    ['1', 1_000],
    ['1.0', 1_000],
    ['0', 0],
  ])('accept the share %j', (outageRatio, permille) => {
    expect(PolicySettings.parse({ outageRatio }).outageRatio).toBe(permille);
  });

  test.each([
    [{ outageRatio: '20%' }, 'outageRatio'],
    [{ outageRatio: 1.5 }, 'outageRatio'],
    [{ outageRatio: '0.1234' }, 'outageRatio'],
    [{ unreachableFor: '15' }, 'unreachableFor'],
    [{ unreachableFor: '1.5h' }, 'unreachableFor'],
    [{ unreachableAfter: 0 }, 'unreachableAfter'],
    [{ flapLimit: 49 }, 'flapLimit'],
    [{ mode: 'off' }, 'mode'],
    [{ stopafter: '1h' }, ''],
    [{ canaries: ['not an id'] }, 'canaries.0'],
    [{ policies: [{ name: 'default', match: {} }] }, 'policies.0.name'],
    [{ policies: [{ name: 'gold' }] }, 'policies.0.match'],
    [{ policies: [{ name: 'gold', match: {}, outageRatio: '0.3' }] }, 'policies.0'],
    [
      {
        policies: [
          { name: 'a', match: {} },
          { name: 'a', match: {} },
        ],
      },
      'policies',
    ],
  ])('reject %j and name the field', (settings, field) => {
    const { error } = PolicySettings.safeParse(settings);
    expect(error?.issues[0]?.path.join('.')).toBe(field);
  });
});

describe('the limits of policy settings', () => {
  const messageOf = (settings: object) => PolicySettings.safeParse(settings).error?.issues[0]?.message;
  const isAccepted = (settings: object) => PolicySettings.safeParse(settings).success;
  const name = (length: number) => 'n'.repeat(length);
  const list = (length: number, prefix = 'c') => Array.from({ length }, (_, n) => `${prefix}${n}`);
  const exception = (more: object) => ({ policies: [{ name: 'gold', match: {}, ...more }] });

  test.each([
    ['0ms', 0],
    ['250ms', 250],
    ['15s', 15_000],
    ['1m', MINUTE],
    ['2h', 120 * MINUTE],
    ['999999d', 999_999 * 24 * 60 * MINUTE],
  ])('allow the duration %s', (stopAfter, ms) => {
    expect(PolicySettings.parse({ stopAfter }).stopAfter).toBe(ms);
  });

  test.each(['1000000s', '015m', '15', '15 m', 'x15m', '15mx', '15w', '-1h', ''])(
    'refuse the duration "%s"',
    (stopAfter) => {
      expect(messageOf({ stopAfter })).toBe('must be a whole number with its unit: ms, s, m, h or d');
    },
  );

  test.each([
    ['0', 0],
    ['0.5', 500],
    ['0.05', 50],
    ['0.005', 5],
    ['1.000', 1_000],
  ])('allow the share %s', (outageRatio, permille) => {
    expect(PolicySettings.parse({ outageRatio }).outageRatio).toBe(permille);
  });

  test.each(['1.1', '1.0000', '0.1234', '2', '-0.2', 'x0.2', '0.2x', '.2', ''])(
    'refuse the share "%s"',
    (outageRatio) => {
      expect(messageOf({ outageRatio })).toBe('must be from 0 to 1 with at most 3 decimal places');
    },
  );

  test('name what is wrong in words', () => {
    expect(messageOf({ outageRatio: true })).toBe('must be a share such as 0.2');
    expect(messageOf({ missingFor: 'never' })).toBe(
      'must be records, off, or a whole number with its unit: ms, s, m, h or d',
    );
    expect(messageOf({ version: '' })).toBe('must be 1 to 64 of A-Z a-z 0-9 . _ -');
    expect(messageOf(exception({ name: 'Gold' }))).toBe(
      'must be 1 to 63 of a-z 0-9 - and begin with a letter or digit',
    );
    expect(messageOf(exception({ name: 'default' }))).toBe(
      'must not be default, which is the name of the policy without exceptions',
    );
    const twice = [...exception({}).policies, ...exception({}).policies];
    expect(messageOf({ policies: twice })).toBe('must have unique names');
  });

  test.each<[string, object, object]>([
    ['unreachableAfter', { unreachableAfter: 1 }, { unreachableAfter: 0 }],
    ['unreachableAfter', { unreachableAfter: 1_000 }, { unreachableAfter: 1_001 }],
    ['reachableAfter', { reachableAfter: 1_000 }, { reachableAfter: 1_001 }],
    ['reachableAfter', { reachableAfter: 1 }, { reachableAfter: 0 }],
    ['flapLimit', { flapLimit: 2 }, { flapLimit: 1 }],
    ['flapLimit', { flapLimit: 48 }, { flapLimit: 49 }],
    ['outageMinClusters', { outageMinClusters: 1 }, { outageMinClusters: 0 }],
    ['outageMinClusters', { outageMinClusters: 1_000_000 }, { outageMinClusters: 1_000_001 }],
    ['canaries', { canaries: list(100) }, { canaries: list(101) }],
    ['missingFor', { missingFor: 'off' }, { missingFor: 'on' }],
    ['missingFor', { missingFor: 'records' }, { missingFor: 24 }],
    ['missingFor', { missingFor: '1d' }, { missingFor: '1w' }],
    ['mode', { mode: 'observe' }, { mode: '' }],
    ['mode', { mode: 'notify' }, { mode: 'stop' }],
    ['stopEffective', { stopEffective: 'first-unreachable' }, { stopEffective: '' }],
    ['stopEffective', { stopEffective: 'decision' }, { stopEffective: 'now' }],
    ['confirmWith', { confirmWith: 'none' }, { confirmWith: '' }],
    ['confirmWith', { confirmWith: 'inventory' }, { confirmWith: 'all' }],
    ['the version', { version: name(64) }, { version: name(65) }],
    ['the version', { version: 'V1.0_a-b' }, { version: '-1' }],
    ['the version', { version: '1' }, { version: '1 2' }],
    ['the name of an exception', exception({ name: name(63) }), exception({ name: name(64) })],
    ['the name of an exception', exception({ name: '7-a' }), exception({ name: '-a' })],
    ['the name of an exception', exception({ name: 'a' }), exception({ name: 'a b' })],
    ['accounts', exception({ match: { accounts: ['acme'] } }), exception({ match: { accounts: [] } })],
    [
      'accounts',
      exception({ match: { accounts: list(1_000) } }),
      exception({ match: { accounts: list(1_001) } }),
    ],
    [
      'labels',
      exception({ match: { labels: { [name(128)]: name(256) } } }),
      exception({ match: { labels: { [name(129)]: '' } } }),
    ],
    [
      'labels',
      exception({ match: { labels: { tier: '' } } }),
      exception({ match: { labels: { tier: name(257) } } }),
    ],
    [
      'exceptions',
      { policies: list(100).map((one) => ({ name: one, match: {} })) },
      { policies: list(101).map((one) => ({ name: one, match: {} })) },
    ],
    ['an exception', exception({ version: '7', flapLimit: 2 }), exception({ canaries: [] })],
  ])('are the same in every release: %s', (_, accepted, refused) => {
    expect([isAccepted(accepted), isAccepted(refused)]).toEqual([true, false]);
  });
});

describe('the hash of a value', () => {
  test.each<[unknown, string]>([
    [undefined, '5b9bc4ba528108e4'],
    [null, '5b9bc4ba528108e4'],
    ['a', 'd4272417d7c77eea'],
    [10, '07f89207b4ba08a4'],
    [{ a: 1 }, '9c3e82dd6fcae8b1'],
    [[1, 'b'], '557de7bd2c447d26'],
    [{ b: [], a: {} }, 'b6edf302b5a5e41c'],
  ])('is the same in every release: %j', (value, digest) => {
    expect(digestOf(value)).toBe(digest);
  });

  test('does not depend on the order of keys, and does on everything else', () => {
    const value = { b: [1, 23], a: { z: null, y: 'x' }, c: true };
    expect(digestOf({ c: true, a: { y: 'x', z: null }, b: [1, 23] })).toBe(digestOf(value));
    expect(digestOf({ a: { z: null, y: 'x' }, b: [1, 23], c: true })).toBe(digestOf(value));
    for (const other of [
      { ...value, b: [12, 3] },
      { ...value, b: [23, 1] },
      { ...value, c: 'true' },
      { ...value, d: 1 },
    ])
      expect(digestOf(other)).not.toBe(digestOf(value));
  });
});

describe('the time after which a missing cluster is stopped', () => {
  const { fallback } = policies();
  const labels = { 'kubefirst/records': 'default' };
  const DAY = 24 * 60 * MINUTE;

  test.each([
    ['records', labels, DAY],
    ['records', { team: 'a' }, undefined],
    ['records', undefined, undefined],
    ['off', labels, undefined],
    [7, undefined, 7],
  ] as const)('is that of its policy: %s, %j', (missingFor, having, expected) => {
    expect(missingForOf({ ...fallback, missingFor }, { accountId: 'acme', labels: having })).toBe(expected);
  });

  test.each([
    [{}, DAY + 15 * MINUTE],
    [{ stopAfter: '2h' }, DAY],
    [{ stopAfter: '2h', missingFor: 'off' }, DAY],
    [{ stopAfter: '2h', missingFor: '3h' }, 3 * 60 * MINUTE],
    [{ stopAfter: '4h', missingFor: '3h' }, 255 * MINUTE],
    [{ stopAfter: '2d', policies: [{ name: 'a', match: {}, missingFor: '9d' }] }, 9 * DAY],
    [{ stopAfter: '9d', policies: [{ name: 'a', match: {}, stopAfter: '1h' }] }, 9 * DAY + 15 * MINUTE],
  ])('is at most the longest wait of any policy: %j', (settings, expected) => {
    expect(longestWait(policies(settings))).toBe(expected);
  });
});

describe('a policy', () => {
  const chosen = policies({
    stopAfter: '12h',
    policies: [
      { name: 'gold', match: { labels: { tier: 'gold', env: 'prod' } }, stopAfter: '3d' },
      { name: 'trial', version: '7', match: { accounts: ['acme', 'globex'] }, unreachableAfter: 9 },
    ],
  });
  const nameOf = (accountId: string, labels?: Record<string, string>) =>
    policyFor(chosen, { accountId, labels }).policy.split('@')[0];

  test('applies to the clusters that it matches, in order', () => {
    expect(nameOf('acme', { tier: 'gold', env: 'prod', team: 'x' })).toBe('gold');
    expect(nameOf('acme', { tier: 'gold' })).toBe('trial');
    expect(nameOf('globex')).toBe('trial');
    expect(nameOf('initech', { tier: 'gold' })).toBe('default');
  });

  test('inherits missing thresholds from the default', () => {
    const unset = { name: 'unset', match: {}, version: '1', stopAfter: undefined };
    expect(policies({ stopAfter: '12h', policies: [unset] }).exceptions[0]?.policy).toMatchObject({
      policy: 'unset@1',
      stopAfter: 12 * 60 * MINUTE,
    });
    expect(policyFor(chosen, { accountId: 'acme' })).toMatchObject({
      policy: 'trial@7',
      unreachableAfter: 9,
      stopAfter: 12 * 60 * MINUTE,
    });
  });

  test('is named by its version, or by a hash that changes with every threshold', () => {
    const name = (settings: object) => policies(settings).fallback.policy;
    expect(name({})).toMatch(/^default@[0-9a-f]{16}$/);
    expect(name({ version: '2026-04' })).toBe('default@2026-04');
    expect(name({ unreachableFor: '900s' })).toBe(name({}));
    for (const other of [
      { stopAfter: '25h' },
      { outageMinClusters: 6 },
      { canaries: ['c1'] },
      { mode: 'notify' },
    ])
      expect(name(other)).not.toBe(name({}));
    expect(name({ canaries: ['c2', 'c1'] })).toBe(name({ canaries: ['c1', 'c2'] }));
    const digest = (settings: object) => policies(settings).digest;
    expect(digest({ policies: [{ name: 'a', match: { accounts: ['x'] } }] })).not.toBe(
      digest({ policies: [{ name: 'a', match: { accounts: ['y'] } }] }),
    );
    expect(policiesOf(PolicySettings.parse({})).digest).toBe(digest({}));
  });
});
