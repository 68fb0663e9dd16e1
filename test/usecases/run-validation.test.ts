import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NoteSigner } from '../../src/audit/note-key.ts';
import { VALIDATOR_SOURCE } from '../../src/domain/validation/judging/judge.ts';
import { runId } from '../../src/domain/validation/records/run-record.ts';
import { deleted, registered, stopped } from '../support/cloud-events.ts';
import { double } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { Fleet, fleetForTest } from '../support/validated-fleet.ts';

const HOUR = 60;
const DAY = 24 * HOUR;
const typesOf = (facts: readonly { type: string }[]) => facts.map(({ type }) => type);

/** A real ledger, probing process, and TLS API servers; the clock is that of the test. */
describe('the validator', () => {
  let servers: Fleet;
  beforeAll(async () => {
    servers = await Fleet.start();
  });
  afterAll(() => servers.stop());

  const steady = {
    s1: 'healthy',
    s2: 'healthy',
    s3: 'forbidden',
    s4: 'forbidden',
    s5: 'healthy',
  } as const;

  test('records a verdict for every cluster, and no fact for those that answer', async () => {
    const fleet = await fleetForTest(servers);
    await fleet.register({ ...steady, s4: 'unauthorized', gone: 'refused', mail: 'ssh', c1: 'healthy' });
    const run = await fleet.run();
    expect(run).toMatchObject({
      state: 'completed',
      result: { counts: { alive: 6, unreachable: 1, unknown: 1, unverifiable: 0 } },
    });
    const codes = Object.fromEntries(
      run.verdicts.map(({ clusterId, code }: { clusterId: string; code: string }) => [clusterId, code]),
    );
    expect(codes).toMatchObject({ s1: 'ok', s3: 'forbidden', s4: 'unauthorized', gone: 'refused' });
    expect(typesOf(await fleet.factsOf('s3'))).toEqual(['cluster.registered']);
    expect(typesOf(await fleet.factsOf('gone'))).toEqual(['cluster.registered']);
  });

  test('keeps a rejected conclusion as an event that can be retried', async () => {
    const fleet = await fleetForTest(servers, { now: '2026-04-15T12:00:00.000Z' });
    await fleet.register({ ...steady, c1: 'healthy' });
    await fleet.run();
    await fleet.becomes('c1', 'refused');
    fleet.ledger.pass(300_000);
    await fleet.runFor(10);
    fleet.ledger.pass(300_000);
    const id = `${runId(fleet.ledger.now)}/c1/ClusterUnreachable`;
    const conflicting = {
      type: 'ClusterDeletionFailed',
      clusterId: 'c1',
      effectiveAt: fleet.ledger.now,
    } as const;
    const origin = { source: VALIDATOR_SOURCE, id, actor: 'somebody' };
    await fleet.ledger.rooms.ledger.record([{ fact: conflicting, origin, event: {} }], { mayBackdate: true });
    await fleet.run();
    const [rejected] = (await fleet.ledger.get('/v1/rejected-events')).body.items;
    expect(rejected.event).toMatchObject({
      specversion: '1.0',
      id,
      source: VALIDATOR_SOURCE,
      type: 'io.clusterledger.cluster.unreachable.v1',
      subject: 'c1',
    });
    const retried = await fleet.ledger.fetch(`/v1/rejected-events/${rejected.id}/retry`, { method: 'POST' });
    expect([retried.status, retried.body.type]).toEqual([409, 'urn:cluster-ledger:problem:event-id-reused']);
  });

  test('has no effect while the clock of the host cannot be trusted', async () => {
    const fleet = await fleetForTest(servers, { now: '2026-04-15T12:00:00.000Z' });
    await fleet.register({ ...steady, c1: 'healthy' });
    await fleet.run();
    await fleet.becomes('c1', 'refused');
    fleet.ledger.pass(300_000);
    await fleet.runFor(10);
    fleet.ledger.pass(300_000);
    await fleet.run();
    expect(typesOf(await fleet.factsOf('c1'))).toEqual(['cluster.registered', 'cluster.unreachable']);
    fleet.ledger.setClock('2026-04-17T12:00:00.000Z');
    const { status, body } = await fleet.request({});
    expect([status, body.type]).toEqual([409, 'urn:cluster-ledger:problem:clock-untrusted']);
    expect(typesOf(await fleet.factsOf('c1'))).toEqual(['cluster.registered', 'cluster.unreachable']);
    await fleet.ledger.rooms.clockGuard.trust({ by: 'operator', reason: 'the time is right' });
    await fleet.run();
    expect(typesOf(await fleet.factsOf('c1')).slice(2)).toEqual(['billing.stopped']);
  });

  test('calls a cluster unreachable after 3 bad verdicts over 15 minutes, stops its billing after 24 h from when it was last alive, and takes it back once it answers', async () => {
    const fleet = await fleetForTest(servers, { now: '2026-04-15T12:00:00.000Z' });
    await fleet.register({ ...steady, c1: 'healthy' });
    await fleet.run();
    await fleet.becomes('c1', 'refused');
    fleet.ledger.pass(300_000);
    await fleet.runFor(10);
    expect(typesOf(await fleet.factsOf('c1'))).toEqual(['cluster.registered']);
    fleet.ledger.pass(300_000);
    await fleet.run();
    expect(typesOf(await fleet.factsOf('c1'))).toEqual(['cluster.registered', 'cluster.unreachable']);
    fleet.ledger.pass(DAY * 60_000);
    await fleet.run();
    const facts = await fleet.factsOf('c1');
    expect(typesOf(facts).slice(2)).toEqual(['billing.stopped']);
    expect(facts[2]).toMatchObject({
      time: '2026-04-15T12:00:00.000Z',
      data: { cause: 'unreachable', policy: expect.stringMatching(/^default@/) },
    });
    const { body } = await fleet.ledger.get('/v1/clusters/c1/billing');
    expect(body.intervals).toMatchObject([{ to: '2026-04-15T12:00:00.000Z' }]);
    expect((await fleet.alerts()).map(({ kind }) => kind)).toEqual(['billing-stopped-unreachable']);

    await fleet.becomes('c1', 'healthy');
    fleet.ledger.pass(300_000);
    await fleet.run();
    expect(typesOf(await fleet.factsOf('c1')).slice(3)).toEqual(['cluster.reachable', 'billing.resumed']);
    expect(await fleet.alerts()).toEqual([]);
  });

  test('never undoes a stop by an operator', async () => {
    const fleet = await fleetForTest(servers);
    await fleet.register({ ...steady, c1: 'refused' });
    await fleet.ledger.record(stopped('c1', '2026-04-10T00:00:00.000Z'));
    await fleet.runFor(15);
    fleet.ledger.pass(DAY * 60_000);
    await fleet.run();
    await fleet.becomes('c1', 'healthy');
    fleet.ledger.pass(300_000);
    await fleet.run();
    const { body } = await fleet.ledger.get('/v1/clusters/c1');
    expect(body).toMatchObject({ status: 'stopped', stoppedBy: ['manual'] });
  });

  test('stops no billing and raises one alert when all clusters fail at once', async () => {
    const fleet = await fleetForTest(servers);
    await fleet.register({ ...steady, s6: 'healthy' });
    await fleet.run();
    for (const clusterId of [...Object.keys(steady), 's6']) await fleet.becomes(clusterId, 'refused');
    fleet.ledger.pass(300_000);
    await fleet.runFor(20);
    fleet.ledger.pass(2 * DAY * 60_000);
    const run = await fleet.run();
    expect(run.result).toMatchObject({ counts: { unreachable: 6 }, withheld: true });
    for (const clusterId of ['s1', 's6'])
      expect(typesOf(await fleet.factsOf(clusterId))).toEqual(['cluster.registered']);
    expect(await fleet.alerts()).toMatchObject([{ kind: 'mass-unreachable' }]);
  });

  test('records under observe what enforce would have done, and leaves the bill alone', async () => {
    const fleet = await fleetForTest(servers, { policy: { mode: 'observe' } });
    await fleet.register({ ...steady, c1: 'healthy' });
    await fleet.run();
    await fleet.becomes('c1', 'refused');
    fleet.ledger.pass(300_000);
    await fleet.runFor(10);
    fleet.ledger.pass(300_000);
    const run = await fleet.run();
    expect(run.wouldHave).toMatchObject([{ type: 'ClusterUnreachable', clusterId: 'c1' }]);
    fleet.ledger.pass(DAY * 60_000);
    const later = await fleet.run();
    expect(later.wouldHave).toMatchObject([{ type: 'BillingStopped', clusterId: 'c1' }]);
    expect(typesOf(await fleet.factsOf('c1'))).toEqual(['cluster.registered']);
  });

  test('simulates another policy from the recorded verdicts', async () => {
    const fleet = await fleetForTest(servers, { policy: { mode: 'observe' } });
    await fleet.register({ ...steady, c1: 'healthy' });
    await fleet.run();
    await fleet.becomes('c1', 'refused');
    fleet.ledger.pass(300_000);
    await fleet.runFor(15);
    fleet.ledger.pass(2 * HOUR * 60_000);
    await fleet.run();
    const head = await fleet.ledger.head();
    const ask = (policy: object) =>
      fleet.ledger.fetch('/v1/validations/what-if', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ policy, from: '2026-04-01T00:00:00Z', to: '2026-05-01T00:00:00Z' }),
      });
    const patient = await ask({});
    expect(patient.body).toMatchObject({ runs: 6, items: [] });
    const strict = await ask({ stopAfter: '1h', version: 'strict' });
    expect(strict.body.items).toMatchObject([
      {
        accountId: 'acme',
        stops: [{ clusterId: 'c1', policy: 'default@strict', from: '2026-04-15T12:00:00.000Z', to: null }],
      },
    ]);
    expect(Number(strict.body.items[0].delta.clusterSeconds)).toBeLessThan(-2 * 3_600);
    expect(await fleet.ledger.head()).toBe(head);
    const wrong = await ask({ stopAfter: 'soon' });
    expect(wrong.body).toMatchObject({ status: 400, errors: [{ pointer: '/policy/stopAfter' }] });
  });

  test('applies another policy to the clusters that it names', async () => {
    const policy = {
      policies: [
        {
          name: 'patient',
          match: { labels: { team: 'core' } },
          unreachableAfter: 2,
          unreachableFor: '0s',
          stopNeverSeen: true,
        },
      ],
    };
    const fleet = await fleetForTest(servers, { policy });
    await fleet.register({ ...steady, c1: 'refused' });
    await fleet.runFor(5);
    const facts = await fleet.factsOf('c1');
    expect(facts[1]).toMatchObject({
      type: 'cluster.unreachable',
      data: { policy: expect.stringMatching(/^patient@/) },
    });
  });

  test('reports in a dry run what a run would record, and writes nothing', async () => {
    const policy = { unreachableAfter: 1, unreachableFor: '0s', stopNeverSeen: true };
    const fleet = await fleetForTest(servers, { policy });
    await fleet.register({ ...steady, c1: 'refused' });
    const before = await fleet.ledger.head();
    const { status, body } = await fleet.request({ dryRun: true });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      outcome: 'planned',
      counts: { alive: 5, unreachable: 1 },
      facts: [{ type: 'ClusterUnreachable', clusterId: 'c1' }],
    });
    expect(await fleet.ledger.head()).toBe(before);
  });

  test('keeps probing deleted clusters, and raises an alert if one still answers', async () => {
    const fleet = await fleetForTest(servers);
    await fleet.register({ ...steady, c1: 'healthy', c2: 'refused' });
    await fleet.run();
    await fleet.ledger.record(
      deleted('c1', '2026-04-15T12:00:00.000Z'),
      deleted('c2', '2026-04-15T12:00:00.000Z'),
    );
    fleet.ledger.pass(300_000);
    await fleet.runFor(15);
    expect(await fleet.alerts()).toMatchObject([{ kind: 'alive-after-delete', subject: 'c1' }]);
    fleet.ledger.pass(15 * DAY * 60_000);
    const run = await fleet.run();
    expect(run.result.counts).toMatchObject({ alive: 5, unreachable: 0 });
  });

  test('makes a cluster without a credential unverifiable, not gone', async () => {
    const fleet = await fleetForTest(servers, { policy: { unreachableAfter: 1, unreachableFor: '0s' } });
    await fleet.register(steady);
    await fleet.ledger.record(registered('none', '2026-04-01T00:00:00.000Z'));
    const run = await fleet.run();
    expect(run.result.counts).toMatchObject({ alive: 5, unverifiable: 1 });
    expect(await fleet.alerts()).toMatchObject([{ kind: 'unverifiable', subject: 'none' }]);
    expect(typesOf(await fleet.factsOf('none'))).toEqual(['cluster.registered']);
  });

  test('answers a request during a run with the active run', async () => {
    const fleet = await fleetForTest(servers);
    await fleet.register({ ...steady, slow: 'hang-on-request' });
    const [first, second] = await Promise.all([fleet.request({}), fleet.request({})]);
    expect([first?.body.outcome, second?.body.outcome].sort()).toEqual(['begun', 'under-way']);
    expect(first?.body.id).toBe(second?.body.id);
    const { body } = await fleet.ledger.get(`/v1/validations/${first?.body.id}`);
    expect(body).toMatchObject({ state: 'running', progress: { total: 6 } });
  });

  test('runs once per tick with several replicas', async () => {
    const shared = {
      LEDGER_NAMESPACE: `replicas-${randomUUID()}`,
      LEDGER_AUDIT_KEY: NoteSigner.generate('replicas.example').secret,
    };
    const options = { store: double.connection, validator: shared };
    const fleets = [await fleetForTest(servers, options), await fleetForTest(servers, options)] as const;
    const [one, other] = fleets;
    await one.register({ ...steady, c1: 'refused' });
    for (const clusterId of [...Object.keys(steady), 'c1']) await other.becomes(clusterId, 'healthy');
    const head = await one.ledger.head();
    await until(() => other.ledger.rooms.projections.model.position >= head);
    await Promise.all(fleets.map(({ ledger }) => ledger.rooms.validator?.job.tick()));
    for (const { ledger } of fleets) {
      await until(() => ledger.rooms.projections.model.validations.runs.at(-1)?.result !== undefined);
      const { body } = await ledger.get('/v1/validations');
      expect(body.items).toMatchObject([{ state: 'completed', trigger: 'schedule' }]);
    }
  });

  test('is not available without a source of credentials', async () => {
    const fleet = await fleetForTest(servers, { validator: { LEDGER_VALIDATOR_CREDENTIALS: '{}' } });
    const { status, body } = await fleet.request({});
    expect(status).toBe(409);
    expect(body.type).toBe('urn:cluster-ledger:problem:no-validator');
  });
});
