import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../src/domain/access/caller.ts';
import { accessPage } from '../../src/http/access/access-page.ts';
import type { DeclaredRoute } from '../../src/http/access/require-access.ts';
import { scopeOf } from '../../src/http/access/route-access.ts';
import { registered } from '../support/cloud-events.ts';
import { bearer, type CreatedKey, createKey, sendAs } from '../support/keys.ts';
import { NOON } from '../support/ledger.ts';
import { sharedLedger } from '../support/shared-ledger.ts';

/** A request of a route: with ids of the account `acme` (`own`) or of another one. */
interface Sample {
  readonly path: string;
  /** The same for what belongs to others. Needed if any role has the scope `own`. */
  readonly other?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const WINDOW = 'from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z';
const ids = { deletion: '', ownFact: '', otherFact: '', spareKey: '' };

/** A sample of every route. A route without a row fails. */
const SAMPLES: Readonly<Record<string, () => Sample>> = {
  'POST /v1/events': () => ({
    path: '/v1/events',
    body: [registered('c9', NOON)],
    headers: { 'content-type': 'application/cloudevents-batch+json' },
  }),
  'GET /v1/events/:eventId': () => ({
    path: `/v1/events/${ids.ownFact}`,
    other: `/v1/events/${ids.otherFact}`,
  }),
  'PUT /v1/clusters/:clusterId': () => ({
    path: '/v1/clusters/c8',
    body: { accountId: 'acme', name: 'c8', effectiveAt: NOON },
  }),
  'POST /v1/clusters/:clusterId/billing-stops': () => ({ path: '/v1/clusters/c8/billing-stops', body: {} }),
  'POST /v1/clusters/:clusterId/billing-resumptions': () => ({
    path: '/v1/clusters/c8/billing-resumptions',
    body: {},
  }),
  'POST /v1/clusters/:clusterId/transfers': () => ({
    path: '/v1/clusters/c1/transfers',
    body: { accountId: 'globex', dryRun: true },
  }),
  'POST /v1/events/:eventId/void': () => ({
    path: `/v1/events/${ids.ownFact}/void`,
    body: { reason: 'a test', dryRun: true },
  }),
  'POST /v1/clusters/:clusterId/deletions': () => ({
    path: '/v1/clusters/c1/deletions',
    other: '/v1/clusters/g1/deletions',
    body: {},
  }),
  'GET /v1/clusters/:clusterId/deletions': () => ({
    path: '/v1/clusters/c1/deletions',
    other: '/v1/clusters/g1/deletions',
  }),
  'GET /v1/clusters/:clusterId/deletions/:deletionId': () => ({
    path: `/v1/clusters/c1/deletions/${ids.deletion}`,
    other: `/v1/clusters/g1/deletions/${ids.deletion}`,
  }),
  'POST /v1/clusters/:clusterId/deletions/:deletionId/confirm': () => ({
    path: `/v1/clusters/c1/deletions/${ids.deletion}/confirm`,
    other: `/v1/clusters/g1/deletions/${ids.deletion}/confirm`,
    body: { name: 'c1', confirmationToken: 'wrong' },
  }),
  'POST /v1/clusters/:clusterId/deletions/:deletionId/cancel': () => ({
    path: `/v1/clusters/c1/deletions/${ids.deletion}/cancel`,
    other: `/v1/clusters/g1/deletions/${ids.deletion}/cancel`,
  }),
  'GET /v1/clusters': () => ({ path: '/v1/clusters' }),
  'GET /v1/clusters/:clusterId': () => ({ path: '/v1/clusters/c1', other: '/v1/clusters/g1' }),
  'GET /v1/clusters/:clusterId/billing': () => ({
    path: '/v1/clusters/c1/billing',
    other: '/v1/clusters/g1/billing',
  }),
  'GET /v1/clusters/:clusterId/events': () => ({
    path: '/v1/clusters/c1/events',
    other: '/v1/clusters/g1/events',
  }),
  'GET /v1/accounts': () => ({ path: '/v1/accounts' }),
  'GET /v1/accounts/:accountId': () => ({ path: '/v1/accounts/acme', other: '/v1/accounts/globex' }),
  'PUT /v1/accounts/:accountId': () => ({ path: '/v1/accounts/acme', body: { name: 'Acme' } }),
  'GET /v1/billing/beginning': () => ({ path: '/v1/billing/beginning' }),
  'POST /v1/billing/beginning': () => ({
    path: '/v1/billing/beginning',
    body: { period: '2026-04', reason: 'a test', dryRun: true },
  }),
  'GET /v1/clock': () => ({ path: '/v1/clock' }),
  'POST /v1/log/accept-loss': () => ({ path: '/v1/log/accept-loss', body: { reason: 'a test' } }),
  'POST /v1/clock/trust': () => ({ path: '/v1/clock/trust', body: { reason: 'a test' } }),
  'GET /v1/usage': () => ({ path: `/v1/usage?${WINDOW}` }),
  'GET /v1/accounts/:accountId/usage': () => ({
    path: `/v1/accounts/acme/usage?${WINDOW}`,
    other: `/v1/accounts/globex/usage?${WINDOW}`,
  }),
  'GET /v1/accounts/:accountId/usage/explain': () => ({
    path: `/v1/accounts/acme/usage/explain?${WINDOW}`,
    other: `/v1/accounts/globex/usage/explain?${WINDOW}`,
  }),
  'GET /v1/accounts/:accountId/replay': () => ({
    path: `/v1/accounts/acme/replay?${WINDOW}`,
    other: `/v1/accounts/globex/replay?${WINDOW}`,
  }),
  'GET /v1/accounts/:accountId/diff': () => ({
    path: `/v1/accounts/acme/diff?${WINDOW}&before=1`,
    other: `/v1/accounts/globex/diff?${WINDOW}&before=1`,
  }),
  'POST /v1/accounts/:accountId/what-if': () => ({
    path: '/v1/accounts/acme/what-if',
    other: '/v1/accounts/globex/what-if',
    body: { period: '2026-04', add: [registered('c7', NOON)] },
  }),
  'GET /v1/periods': () => ({ path: '/v1/periods' }),
  'GET /v1/periods/:period': () => ({ path: '/v1/periods/2026-04' }),
  'POST /v1/periods/:period/close': () => ({ path: '/v1/periods/2026-03/close', body: { dryRun: true } }),
  'GET /v1/periods/:period/statements': () => ({ path: '/v1/periods/2026-03/statements' }),
  'GET /v1/periods/:period/statements/:accountId': () => ({
    path: '/v1/periods/2026-03/statements/acme',
    other: '/v1/periods/2026-03/statements/globex',
  }),
  'GET /v1/adjustments': () => ({ path: '/v1/adjustments' }),
  'GET /v1/accounts/:accountId/evidence': () => ({
    path: '/v1/accounts/acme/evidence?period=2026-03',
    other: '/v1/accounts/globex/evidence?period=2026-03',
  }),
  'GET /v1/feed': () => ({ path: '/v1/feed?after=0' }),
  // Invalid, so that the answer ends.
  'GET /v1/stream': () => ({ path: '/v1/stream?types=none' }),
  'GET /log/checkpoint': () => ({ path: '/log/checkpoint' }),
  'POST /log/checkpoint': () => ({ path: '/log/checkpoint' }),
  'GET /log/key': () => ({ path: '/log/key' }),
  'GET /log/tile/*': () => ({ path: '/log/tile/0/000.p/1' }),
  'GET /log/tile/entries/*': () => ({ path: '/log/tile/entries/000.p/1' }),
  'GET /log/proof/inclusion': () => ({ path: '/log/proof/inclusion?position=1' }),
  'GET /log/proof/consistency': () => ({ path: '/log/proof/consistency?from=1' }),
  'GET /v1/rejected-events': () => ({ path: '/v1/rejected-events' }),
  'POST /v1/rejected-events/:eventId/retry': () => ({ path: `/v1/rejected-events/${ids.ownFact}/retry` }),
  'POST /v1/validations': () => ({ path: '/v1/validations' }),
  'POST /v1/validations/what-if': () => ({
    path: '/v1/validations/what-if',
    body: { policy: {}, from: '2026-04-01T00:00:00Z', to: '2026-04-02T00:00:00Z' },
  }),
  'GET /v1/undecided': () => ({ path: '/v1/undecided' }),
  'POST /v1/undecided/decisions': () => ({ path: '/v1/undecided/decisions', body: {} }),
  'GET /v1/alerts': () => ({ path: '/v1/alerts' }),
  'GET /v1/alerts/:alertId': () => ({ path: '/v1/alerts/none' }),
  'POST /v1/alerts/:alertId/acknowledge': () => ({ path: '/v1/alerts/none/acknowledge' }),
  'GET /v1/validations': () => ({ path: '/v1/validations' }),
  'GET /v1/validations/:runId': () => ({ path: '/v1/validations/none' }),
  'GET /v1/validator': () => ({ path: '/v1/validator' }),
  'POST /v1/validator/decisions': () => ({ path: '/v1/validator/decisions', body: { proceedForHours: 0 } }),
  'GET /v1/sources/kubefirst': () => ({ path: '/v1/sources/kubefirst' }),
  'GET /v1/sources/kubefirst/cluster-usage': () => ({
    path: '/v1/sources/kubefirst/cluster-usage?accountId=acme&period=2026-04',
  }),
  'POST /v1/sources/kubefirst/track': () => ({ path: '/v1/sources/kubefirst/track', body: {} }),
  'POST /v1/sources/kubefirst/batch': () => ({ path: '/v1/sources/kubefirst/batch', body: { batch: [] } }),
  'POST /v1/sources/kubefirst/v1/track': () => ({ path: '/v1/sources/kubefirst/v1/track', body: {} }),
  'POST /v1/sources/kubefirst/v1/batch': () => ({
    path: '/v1/sources/kubefirst/v1/batch',
    body: { batch: [] },
  }),
  'GET /v1/webhooks': () => ({ path: '/v1/webhooks' }),
  'POST /v1/webhooks': () => ({ path: '/v1/webhooks', body: {} }),
  'GET /v1/webhooks/:webhookId': () => ({ path: '/v1/webhooks/none' }),
  'PUT /v1/webhooks/:webhookId': () => ({ path: '/v1/webhooks/none', body: {} }),
  'DELETE /v1/webhooks/:webhookId': () => ({ path: '/v1/webhooks/none' }),
  'POST /v1/webhooks/:webhookId/rotate-secret': () => ({ path: '/v1/webhooks/none/rotate-secret' }),
  'POST /v1/webhooks/:webhookId/test': () => ({ path: '/v1/webhooks/none/test' }),
  'GET /v1/webhooks/:webhookId/deliveries': () => ({ path: '/v1/webhooks/none/deliveries' }),
  'POST /v1/webhooks/:webhookId/deliveries/:eventId/redeliver': () => ({
    path: '/v1/webhooks/none/deliveries/none/redeliver',
  }),
  'POST /v1/webhooks/:webhookId/replay-parked': () => ({ path: '/v1/webhooks/none/replay-parked' }),
  'GET /v1/session': () => ({ path: '/v1/session' }),
  'POST /v1/session': () => ({ path: '/v1/session', body: { key: keys.auditor.key } }),
  'POST /v1/session/sign-in': () => ({ path: '/v1/session/sign-in', body: {} }),
  'POST /v1/session/sign-in/end': () => ({ path: '/v1/session/sign-in/end', body: { response: 'code=x' } }),
  'DELETE /v1/session': () => ({ path: '/v1/session' }),
  'GET /v1/system': () => ({ path: '/v1/system' }),
  'POST /v1/keys': () => ({ path: '/v1/keys', body: { name: 'a test', role: 'auditor' } }),
  'GET /v1/keys': () => ({ path: '/v1/keys' }),
  'GET /v1/keys/:keyId': () => ({ path: `/v1/keys/${ids.spareKey}` }),
  'POST /v1/keys/:keyId/revoke': () => ({ path: `/v1/keys/${ids.spareKey}/revoke` }),
  'GET /livez': () => ({ path: '/livez' }),
  'GET /readyz': () => ({ path: '/readyz' }),
  'GET /metrics': () => ({ path: '/metrics' }),
  'GET /openapi.json': () => ({ path: '/openapi.json' }),
  'GET /': () => ({ path: '/' }),
  'GET /v1/overview': () => ({ path: '/v1/overview' }),
  'GET /v1/deletions': () => ({ path: '/v1/deletions' }),
  'GET /assets/*': () => ({ path: '/assets/none.js' }),
  'GET /v1/me': () => ({ path: '/v1/me' }),
};

/** Callers without a valid credential, by what they send. */
const strangers: Record<string, Record<string, string>> = { 'no credential': {} };
/** Keys by role. Facts of `c1` were posted by the producer; the customer is bound to `acme`. */
const keys = {} as Record<Role, CreatedKey>;
let routes: readonly DeclaredRoute[] = [];

const ledger = sharedLedger(async (it) => {
  const operator = await createKey(it, undefined, { role: 'operator' });
  const by = operator.key;
  const others = await createKey(it, by, { role: 'producer', name: 'another producer' });
  const revoked = await createKey(it, by, { role: 'operator' });
  const soon = new Date(it.now + 1_000).toISOString();
  const expired = await createKey(it, by, { role: 'operator', expiresAt: soon });
  keys.operator = operator;
  keys.producer = await createKey(it, by, { role: 'producer', name: 'pro-app' });
  keys.billing = await createKey(it, by, { role: 'billing' });
  keys.auditor = await createKey(it, by, { role: 'auditor' });
  keys.customer = await createKey(it, by, { role: 'customer', accountId: 'acme' });
  ids.spareKey = (await createKey(it, by, { role: 'auditor' })).id;
  await sendAs(it, by, 'POST', `/v1/keys/${revoked.id}/revoke`);
  it.pass(2_000);
  strangers['a revoked key'] = bearer(revoked.key);
  strangers['an expired key'] = bearer(expired.key);
  strangers['an unknown key'] = bearer('clk_000000000000_00000000000000000000000000000000000000');
  strangers['a token'] = bearer('eyJhbGciOiJub25lIn0.e30.');
  strangers['another scheme'] = { authorization: `Basic ${btoa(`${operator.key}:`)}` };
  const post = async (key: string, cluster: string, account: string) => {
    const event = registered(cluster, '2026-03-20T00:00:00.000Z', account);
    const headers = { ...bearer(key), 'content-type': 'application/cloudevents+json' };
    const answer = await it.fetch('/v1/events', { method: 'POST', headers, body: JSON.stringify(event) });
    expect(answer.status).toBe(201);
    return answer.body.eventId as string;
  };
  ids.ownFact = await post(keys.producer.key, 'c1', 'acme');
  ids.otherFact = await post(others.key, 'g1', 'globex');
  ids.deletion = (await sendAs(it, by, 'POST', '/v1/clusters/c1/deletions', {})).body.deletionId;
  expect((await sendAs(it, by, 'POST', '/v1/periods/2026-03/close')).status).toBe(200);
  routes = it.rooms.app.routeAccess.filter(
    ({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs'),
  );
});

function send(name: string, credential: Record<string, string>, other = false) {
  const [method = ''] = name.split(' ');
  const sample = (SAMPLES[name] as () => Sample)();
  const body = sample.body === undefined ? {} : { body: JSON.stringify(sample.body) };
  const type = sample.body === undefined ? {} : { 'content-type': 'application/json', ...sample.headers };
  const path = other ? (sample.other as string) : sample.path;
  return ledger().fetch(path, { method, headers: { ...type, ...credential }, ...body });
}

test('every route has a row, and every row has a route', () => {
  const names = routes.map(({ method, url }) => `${method} ${url}`);
  expect(Object.keys(SAMPLES).sort()).toEqual(names.toSorted());
  for (const { method, url, access } of routes) {
    const isOwn = access !== 'public' && Object.values(access).includes('own');
    const sample = (SAMPLES[`${method} ${url}`] as () => Sample)();
    expect(sample.other !== undefined, `${method} ${url} has a sample of what belongs to others`).toBe(isOwn);
  }
});

test('docs/access.md lists every route with the roles that may call it', async () => {
  await expect(accessPage(routes)).toMatchFileSnapshot('../../docs/access.md');
});

describe.each(Object.keys(SAMPLES))('%s', (name) => {
  let route: DeclaredRoute;
  beforeAll(() => {
    route = routes.find(({ method, url }) => `${method} ${url}` === name) as DeclaredRoute;
  });

  test('answers 401 without a valid credential, unless it is public', async () => {
    for (const [who, headers] of Object.entries(strangers)) {
      const { status, headers: answered } = await send(name, headers);
      if (route.access === 'public') expect(status, who).not.toBe(401);
      else {
        expect(status, who).toBe(401);
        expect(answered.get('www-authenticate'), who).toMatch(/^Bearer realm="cluster-ledger"/);
      }
    }
  });

  test.each(['producer', 'billing', 'auditor', 'operator', 'customer'] as const)(
    'lets a key of the role %s do what it declares',
    async (role) => {
      const { status, text } = await send(name, bearer(keys[role].key));
      const scope = scopeOf(route.access, role);
      if (scope === undefined) {
        expect(status, text).toBe(403);
        expect(JSON.parse(text)).toMatchObject({ type: 'urn:cluster-ledger:problem:forbidden' });
        return;
      }
      expect([401, 403], text).not.toContain(status);
      if (scope !== 'own') return;
      expect(status === 409 || status < 300, text).toBe(true);
      const answer = await send(name, bearer(keys[role].key), true);
      expect(answer.status, answer.text).toBe(404);
      expect(answer.text).not.toContain('operator');
    },
  );
});

test('lists that are filtered for a customer have nothing of other accounts', async () => {
  const { body } = await ledger().get('/v1/clusters', bearer(keys.customer.key));
  expect(body.items.length).toBeGreaterThan(0);
  expect(new Set(body.items.map(({ accountId }: { accountId: string }) => accountId))).toEqual(
    new Set(['acme']),
  );
  const other = await ledger().get('/v1/clusters?accountId=globex', bearer(keys.customer.key));
  expect(other.status).toBe(404);
});
