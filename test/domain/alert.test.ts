import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  ALERT_KINDS,
  ALERTS,
  type AlertData,
  type AlertKind,
  alertId,
  alertText,
} from '../../src/domain/alert.ts';

const SEE = 'See the text of the alert: it depends on what was seen.';
const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8');

test('docs/alerts.md has the severity, the subject and the fixed texts of each alert', () => {
  const rows = ALERT_KINDS.map((kind) => {
    const { severity, about, bill, next } = ALERTS[kind];
    const [effect, advice] = [bill, next].map((text) => (typeof text === 'string' ? text : SEE));
    return `| \`${kind}\` | ${severity} | ${about} | ${effect} | ${advice} |`;
  });
  expect(page.split('\n').filter((line) => rows.includes(line))).toEqual(rows);
  expect(rows).toHaveLength(30);
});

test('four kinds end when they are acknowledged', () => {
  expect(ALERT_KINDS.filter((kind) => ALERTS[kind].endsWhenAcknowledged)).toEqual([
    'event-rejected',
    'alive-after-delete',
    'id-differs-by-case',
    'event-id-on-two-clusters',
  ]);
});

test('the id of an alert is its kind and its subject', () => {
  expect(alertId('flapping', 'c1')).toBe('flapping:c1');
});

const since = '2026-01-01';
const event = { source: 'app', id: 'e1', code: 'too-late' };
describe('an alert says what happened', () => {
  test.each<[kind: AlertKind, data: AlertData, happened: string]>([
    ['orphan-facts', {}, 'facts of cluster c1 are recorded, and no registration for 15 minutes'],
    ['event-rejected', { ...event, clusterId: '' }, 'event e1 of app was refused: too-late'],
    [
      'event-rejected',
      { ...event, clusterId: 'c2', actor: 'ada' },
      'event e1 of app for cluster c2 was refused: too-late; ada posted it',
    ],
    ['event-rejected', { count: 3 }, '3 more events were refused earlier'],
    ['cluster-unreachable', {}, 'cluster c1 has not answered since some time ago'],
    [
      'cluster-unreachable',
      { since, code: 'timeout' },
      'cluster c1 has not answered since 2026-01-01: timeout',
    ],
    [
      'cluster-unreachable',
      { since, code: 'timeout', detail: 'no route' },
      'cluster c1 has not answered since 2026-01-01: timeout (no route)',
    ],
    [
      'billing-stopped-unreachable',
      {},
      'billing of cluster c1 is stopped from some time ago: it is unreachable',
    ],
    [
      'billing-stopped-unreachable',
      { since, code: 'timeout' },
      'billing of cluster c1 is stopped from 2026-01-01: it is unreachable: timeout',
    ],
    [
      'billing-stopped-missing',
      {},
      'billing of cluster c1 is stopped from some time ago: its platform no longer lists it',
    ],
    [
      'billing-stopped-missing',
      { since },
      'billing of cluster c1 is stopped from 2026-01-01: its platform no longer lists it',
    ],
    ['alive-after-delete', { deletedAt: since }, 'cluster c1, deleted at 2026-01-01, still answers'],
    [
      'mass-unreachable',
      { why: 'canary', canaries: 'k1' },
      'a canary that is known to be up did not answer: k1',
    ],
    ['mass-unreachable', { why: 'all', of: 9 }, 'none of the 9 clusters that were asked answered'],
    [
      'mass-unreachable',
      { why: 'ratio', bad: 4, of: 9 },
      '4 of 9 clusters stopped answering at once, or did not answer when first asked',
    ],
    ['mass-unreachable', {}, 'too many clusters are bad at once'],
    ['flapping', { flips: 7 }, 'cluster c1 turned 7 times between reachable and not within 24 hours'],
    ['unverifiable', { since, code: 'front' }, 'cluster c1 cannot be asked since 2026-01-01: front'],
    [
      'never-verified',
      { since, registeredAt: '2025-12-01', code: 'timeout' },
      'cluster c1, registered at 2025-12-01, has never been seen alive since it was first asked at 2026-01-01: timeout',
    ],
    [
      'credential-expired',
      { since, code: 'front' },
      'what stands in front of cluster c1 refuses the ledger since 2026-01-01: front',
    ],
    [
      'credential-expired',
      { since, code: 'unauthorized' },
      'cluster c1 answers, and does not accept the credential of the ledger since 2026-01-01: unauthorized',
    ],
    [
      'certificate-expired',
      { since, code: 'x509' },
      'the certificate of the API server of cluster c1 is not valid now, since 2026-01-01: x509',
    ],
    ['source-unreadable', { since, why: '403' }, 'c1 cannot be read since 2026-01-01: 403'],
    [
      'stop-unconfirmed',
      { since, inventory: 'listed' },
      'cluster c1 has not answered since 2026-01-01, and its platform still lists it',
    ],
    [
      'stop-unconfirmed',
      { since, inventory: 'unknown', code: 'timeout' },
      'cluster c1 has not answered since 2026-01-01: timeout, and its platform could not be asked',
    ],
    ['billed-but-missing', {}, 'cluster c1 is registered, and its platform no longer lists it'],
    [
      'billed-but-missing',
      { lastListedAt: since, answers: 1 },
      'cluster c1 is registered, and its platform no longer lists it; it was last listed at 2026-01-01. It still answers',
    ],
    [
      'running-but-unregistered',
      { source: 'telemetry' },
      'c1 sends telemetry, and no cluster was registered for it',
    ],
    [
      'running-but-unregistered',
      { source: 'argocd' },
      'the platform lists c1, and no cluster was registered for it',
    ],
    ['validator-stale', {}, 'the validator has completed no run for 3 intervals'],
    [
      'deletion-stuck',
      { confirmedAt: since },
      'the deletion of cluster c1, confirmed at 2026-01-01, is not done after 2 hours',
    ],
    [
      'late-facts',
      { facts: 1, period: '2026-01' },
      '1 fact changed the usage of account c1 in closed periods, from 2026-01 on',
    ],
    [
      'late-facts',
      { facts: 2, period: '2026-01' },
      '2 facts changed the usage of account c1 in closed periods, from 2026-01 on',
    ],
    [
      'count-jump',
      { before: 2, after: 9 },
      'account c1 is billed for 9 clusters; a day earlier there were 2',
    ],
    [
      'limit-reached',
      { clusterType: '*', limit: 1, billed: 1 },
      '1 cluster is billed and the limit of the plan is 1',
    ],
    [
      'limit-reached',
      { clusterType: 'a', limit: 1, billed: 2 },
      '2 clusters of type a are billed and the limit of the plan is 1',
    ],
    ['id-differs-by-case', { other: 'C1' }, 'cluster ids c1 and C1 differ only in upper and lower case'],
    [
      'event-id-on-two-clusters',
      { ...event, clusterId: 'c1', otherClusterId: 'c2' },
      'event e1 of app was posted for cluster c2 and again for cluster c1',
    ],
    ['clock-untrusted', { why: 'it is late' }, 'the clock of the host cannot be trusted: it is late'],
    [
      'key-expiring',
      { name: 'app', role: 'producer', expiresAt: since },
      'key c1 of app (producer) expires at 2026-01-01',
    ],
    [
      'delivery-parked',
      { url: 'u', parked: 1, error: '500' },
      'the receiver u refused 1 message at every attempt: 500',
    ],
    [
      'delivery-parked',
      { url: 'u', parked: 2, error: '500' },
      'the receiver u refused 2 messages at every attempt: 500',
    ],
    ['webhook-disabled', { url: 'u', reason: 'gone' }, 'nothing is sent to the receiver u any more: gone'],
    [
      'statement-drift',
      { why: 'acme' },
      'the statements of c1 are no longer what they were when it was closed: acme',
    ],
    ['log-tampered', { why: 'a fact' }, 'the log is not what was signed: a fact'],
    ['log-behind', { why: 'a fact' }, 'events that were acknowledged are missing: a fact'],
  ])('%s with %j', (kind, data, happened) => {
    expect(alertText(kind, 'c1', data).happened).toBe(happened);
  });
});

describe('the effect on the bill', () => {
  const billed = 'The cluster is billed although it may not exist.';
  test.each<[kind: AlertKind, data: AlertData, bill: string]>([
    ['billed-but-missing', {}, billed],
    ['billed-but-missing', { held: 'host' }, `${billed} The record of its management cluster is gone too.`],
    [
      'billed-but-missing',
      { held: 'mass', stopsAt: since },
      `${billed} Too many clusters disappeared at once to conclude that it is gone.`,
    ],
    [
      'billed-but-missing',
      { stopsAt: since },
      `${billed} Billing stops at 2026-01-01, from when it was last listed, unless it is listed again.`,
    ],
    ['late-facts', { adjusted: 0 }, 'None: no statement ever has usage from before billing began.'],
    [
      'late-facts',
      { adjusted: 1, leftOut: 0, statement: '2026-02' },
      'The statement for 2026-02 has an adjustment, unless the changes cancel each other out.',
    ],
    [
      'late-facts',
      { adjusted: 1, leftOut: 1, statement: '2026-02' },
      'The statement for 2026-02 has an adjustment, unless the changes cancel each other out. Usage from before billing began is on no statement.',
    ],
    ['flapping', {}, 'None: the cluster is not judged until it has been steady for an hour.'],
  ])('is, for %s with %j', (kind, data, bill) => {
    expect(alertText(kind, 'c1', data).bill).toBe(bill);
  });
});

describe('the advice', () => {
  const exists =
    'Find out whether the cluster exists. If it is gone, stop its billing from when it went: `cluster-ledger undecided stop`. If it exists, ';
  test.each<[kind: AlertKind, code: string, next: string]>([
    [
      'unverifiable',
      'no-credential',
      'If the cluster is gone, stop its billing. If it exists, put its credential where its registration says, or change the `connection` of its registration.',
    ],
    [
      'unverifiable',
      'credential-refused',
      'Change the named field of its credential. docs/validator.md lists the forms that are accepted.',
    ],
    [
      'unverifiable',
      'address-refused',
      'Give its credential an address that the ledger may ask, or allow this one: `validator.probe.addresses.allow`.',
    ],
    [
      'unverifiable',
      'internal-name',
      'Give its credential an address that can be looked up where the ledger runs.',
    ],
    [
      'unverifiable',
      'source-unreadable',
      'Make the source readable again. The alert `source-unreadable` says which one it is.',
    ],
    ['unverifiable', 'network-down', 'Give the host of the ledger a route to this network.'],
    [
      'unverifiable',
      'prober-failed',
      'See the log of the ledger. If it happens again, the credential of this cluster is the likely cause.',
    ],
    [
      'unverifiable',
      'front',
      'Ask the owner of what answered, a proxy or a load balancer, why it does not reach the API server.',
    ],
    ['unverifiable', 'x', 'See docs/validator.md for this code.'],
    [
      'never-verified',
      'tls-mismatch',
      `${exists}put the certificate authority of the cluster into its credential.`,
    ],
    [
      'never-verified',
      'name-not-found',
      `${exists}give its credential a name that can be looked up where the ledger runs.`,
    ],
    ['never-verified', 'refused', `${exists}check the address and port in its credential.`],
    [
      'never-verified',
      'timeout',
      `${exists}give the ledger a route to it: a firewall, a VPN or a private endpoint may be in between.`,
    ],
    [
      'never-verified',
      'not-kubernetes',
      `${exists}check the address in its credential: something else answers there.`,
    ],
    ['never-verified', 'x', `${exists}find out why the ledger cannot reach it.`],
    [
      'stop-unconfirmed',
      'tls-mismatch',
      'If the certificate authority of the cluster was renewed, put the new one into its credential. If the cluster is gone, stop its billing: `cluster-ledger undecided stop`.',
    ],
    [
      'stop-unconfirmed',
      'timeout',
      'Find out why the cluster does not answer. If it is gone, stop its billing: `cluster-ledger undecided stop`.',
    ],
  ])('is, for %s, that of the code %s', (kind, code, next) => {
    expect(alertText(kind, 'c1', { code }).next).toBe(next);
  });
});
