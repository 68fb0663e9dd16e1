import { describe, expect, test } from 'vitest';
import { PolicySettings, policiesOf, policyFor } from '../../../../src/domain/validation/judging/policy.ts';
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
    const digest = (settings: object) => policies(settings).digest;
    expect(digest({ policies: [{ name: 'a', match: { accounts: ['x'] } }] })).not.toBe(
      digest({ policies: [{ name: 'a', match: { accounts: ['y'] } }] }),
    );
    expect(policiesOf(PolicySettings.parse({})).digest).toBe(digest({}));
  });
});
