/**
 * The table of alerts: each kind is raised, changed and resolved on a whole ledger, which sends it to a channel. A new kind does
 * not compile without a row here.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALERT_KINDS, type AlertKind } from '../../src/domain/alert.ts';
import { PeriodClosingStore } from '../../src/ledger/period-closing-store.ts';
import { deleted, event, registered, resumed, stopped } from '../support/cloud-events.ts';
import { JsonReceiver } from '../support/json-receiver.ts';
import { createKey, sendAs } from '../support/keys.ts';
import { heartbeat, installed, track } from '../support/kubefirst.ts';
import { NOON, openLedger, type TestLedger } from '../support/ledger.ts';
import { putBackAfter } from '../support/put-back.ts';
import { ACCEPT, answerWith, Receiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';
import {
  ALIVE,
  NO_CREDENTIAL,
  REFUSED,
  type RunOptions,
  type Seen,
  TestValidator,
} from '../support/validator.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MARCH = '2026-03-10T00:00:00.000Z';
const APRIL = '2026-04-10T00:00:00.000Z';

/** A ledger that sends its alerts to a channel, with a validator and a receiver of webhooks. */
class Scene {
  readonly ledger: TestLedger;
  readonly receiver: Receiver;
  readonly folder: string;
  /** The key of the requests; absent while the ledger has none. */
  key: string | undefined;
  /** An id that a step has for the next ones. */
  id = '';

  constructor(ledger: TestLedger, receiver: Receiver, folder: string) {
    this.ledger = ledger;
    this.receiver = receiver;
    this.folder = folder;
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape.
  async send(method: string, path: string, body?: object): Promise<any> {
    const answer = await sendAs(this.ledger, this.key, method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  async alerts(kind: AlertKind) {
    return (await this.send('GET', `/v1/alerts?kind=${kind}`)).items;
  }

  async acknowledge(kind: AlertKind): Promise<void> {
    const [{ id }] = await this.alerts(kind);
    await this.send('POST', `/v1/alerts/${encodeURIComponent(id)}/acknowledge`);
  }

  /** Registers clusters, of which `c1` is the one that the row is about. */
  async fleet(...more: string[]): Promise<void> {
    await this.ledger.record(...['c1', 'o1', 'o2', ...more].map((id) => registered(id, APRIL)));
  }

  /** One run of the validator; clusters without a verdict answer. The clock is then five minutes later. */
  async run(seen: Readonly<Record<string, Seen>>, options: RunOptions = {}): Promise<void> {
    await new TestValidator(this.ledger).run(seen, options);
    this.ledger.pass(5 * MINUTE);
  }

  async runs(count: number, seen: Readonly<Record<string, Seen>>, options: RunOptions = {}): Promise<void> {
    for (let run = 0; run < count; run++) await this.run(seen, options);
  }

  get time(): string {
    return new Date(this.ledger.now).toISOString();
  }
}

type Step = (scene: Scene) => Promise<unknown>;

interface Row {
  readonly raise: Step;
  /** Continues or repeats the cause of the alert, at least an hour later. */
  readonly goesOn: Step;
  /** Part of the changed text; absent if the text stays the same. */
  readonly changed?: RegExp;
  /** Absent if the alert never ends. */
  readonly end?: Step;
  readonly environment?: (folder: string) => Record<string, string>;
  /** Whether the channel gets no message at the end, because the alert itself could not be recorded. */
  readonly endsSilently?: boolean;
}

/** Judges after one bad run, and stops after ten minutes. */
const SHORT = { unreachableAfter: 1, unreachableFor: '0m', stopAfter: '10m', version: 'v1' };
const LONG = { ...SHORT, stopAfter: '30d' };
const alive = (code: string): Seen => ({ ...ALIVE, code });
const unreachable = (code: string): Seen => ({ state: 'unreachable', code });
const isGone = { inventory: { c1: 'gone' } } as const;

const ROWS: Readonly<Record<AlertKind, Row>> = {
  'orphan-facts': {
    raise: async ({ ledger }) => {
      await ledger.record(event('cluster.deletion-requested', 'c1', APRIL));
      ledger.pass(15 * MINUTE);
    },
    goesOn: ({ ledger }) => ledger.record(event('cluster.deletion-requested', 'c1', NOON)),
    end: ({ ledger }) => ledger.record(registered('c1', APRIL)),
  },
  'event-rejected': {
    raise: async (scene) => {
      await scene.ledger.record(registered('c1', APRIL));
      await scene.ledger.post(event('cluster.registered', 'c1', APRIL, OTHER_ACCOUNT, { id: 'e-other' }));
    },
    goesOn: ({ ledger }) =>
      ledger.post(event('cluster.registered', 'c1', APRIL, OTHER_ACCOUNT, { id: 'e-other' })),
    end: (scene) => scene.acknowledge('event-rejected'),
  },
  'cluster-unreachable': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({});
      await scene.runs(2, { c1: REFUSED }, { settings: LONG });
    },
    goesOn: (scene) => scene.run({ c1: unreachable('no-route') }, { settings: LONG }),
    end: (scene) => scene.run({}, { settings: LONG }),
  },
  'billing-stopped-unreachable': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({});
      await scene.runs(4, { c1: REFUSED }, { settings: SHORT });
    },
    goesOn: (scene) => scene.run({ c1: REFUSED }, { settings: SHORT }),
    end: (scene) => scene.run({}, { settings: SHORT }),
  },
  'billing-stopped-missing': {
    raise: async ({ ledger }) =>
      ledger.record(registered('c1', APRIL), stopped('c1', '2026-04-14T00:00:00.000Z', 'missing')),
    goesOn: ({ ledger }) => ledger.record(stopped('c1', '2026-04-13T00:00:00.000Z', 'missing')),
    changed: /stopped from 2026-04-13/,
    end: ({ ledger, time }) => ledger.record(resumed('c1', time, 'missing')),
  },
  'alive-after-delete': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({});
      await scene.ledger.record(deleted('c1', scene.time));
      scene.ledger.pass(MINUTE);
      await scene.run({});
    },
    goesOn: (scene) => scene.run({ c1: alive('degraded') }),
    end: (scene) => scene.runs(4, { c1: REFUSED }),
  },
  'mass-unreachable': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({});
      await scene.runs(3, { c1: REFUSED, o1: REFUSED, o2: REFUSED });
    },
    goesOn: async (scene) => {
      await scene.ledger.record(registered('o3', APRIL));
      await scene.run({ c1: REFUSED, o1: REFUSED, o2: REFUSED, o3: REFUSED });
    },
    changed: /none of the 4 clusters/,
    end: (scene) => scene.run({}),
  },
  flapping: {
    raise: async (scene) => {
      await scene.fleet();
      for (let n = 0; n < 2; n++) {
        await scene.run({}, { settings: { flapLimit: 2 } });
        await scene.run({ c1: REFUSED }, { settings: { flapLimit: 2 } });
      }
    },
    goesOn: (scene) => scene.run({}, { settings: { flapLimit: 2 } }),
    changed: /turned 4 times/,
    end: async (scene) => {
      scene.ledger.pass(25 * HOUR);
      await scene.runs(2, {}, { settings: { flapLimit: 2 } });
    },
  },
  unverifiable: {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({ c1: NO_CREDENTIAL });
    },
    goesOn: (scene) => scene.run({ c1: { ...NO_CREDENTIAL, code: 'credential-refused' } }),
    changed: /: credential-refused$/,
    end: (scene) => scene.run({}),
  },
  'never-verified': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.runs(4, { c1: REFUSED });
    },
    goesOn: (scene) => scene.run({ c1: unreachable('name-not-found') }),
    changed: /: name-not-found$/,
    end: (scene) => scene.run({}),
  },
  'credential-expired': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.runs(3, { c1: alive('unauthorized') });
    },
    goesOn: (scene) => scene.run({ c1: alive('unauthorized') }),
    end: (scene) => scene.run({}),
  },
  'certificate-expired': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({ c1: alive('certificate-expired') });
    },
    goesOn: (scene) => scene.run({ c1: alive('certificate-not-yet-valid') }),
    changed: /: certificate-not-yet-valid$/,
    end: (scene) => scene.run({}),
  },
  'source-unreadable': {
    environment: (folder) => ({
      LEDGER_VALIDATOR_SCHEDULE: 'off',
      LEDGER_VALIDATOR_CREDENTIALS: JSON.stringify({ directory: join(folder, 'kubeconfigs') }),
    }),
    raise: async (scene) => {
      await validated(scene);
      scene.ledger.pass(12 * MINUTE);
    },
    goesOn: async (scene) => {
      await mkdir(join(scene.folder, 'kubeconfigs'));
      await validated(scene);
    },
    changed: /the folder is empty/,
    end: async (scene) => {
      await writeFile(join(scene.folder, 'kubeconfigs', 'a.yaml'), 'kind: Config');
      await validated(scene);
    },
  },
  'stop-unconfirmed': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({});
      await scene.runs(4, { c1: REFUSED }, { settings: CONFIRMED });
    },
    goesOn: (scene) => scene.run({ c1: REFUSED }, { settings: CONFIRMED, inventory: { c1: 'listed' } }),
    changed: /its platform still lists it/,
    end: (scene) => scene.run({}, { settings: CONFIRMED }),
  },
  'billed-but-missing': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({}, { inventory: { c1: 'listed' } });
      await scene.run({ c1: REFUSED }, isGone);
    },
    goesOn: (scene) => scene.run({}, isGone),
    changed: /It still answers/,
    end: (scene) => scene.run({}, { inventory: { c1: 'listed' } }),
  },
  'running-but-unregistered': {
    raise: async ({ ledger }) => {
      await track(ledger, heartbeat(STRANGER));
      ledger.pass(5 * MINUTE);
      await track(ledger, heartbeat(STRANGER));
    },
    goesOn: ({ ledger }) => track(ledger, heartbeat(STRANGER)),
    end: ({ ledger, time }) => track(ledger, installed(STRANGER, { timestamp: time })),
  },
  'validator-stale': {
    raise: async (scene) => {
      await scene.fleet();
      await scene.run({});
      scene.ledger.pass(15 * MINUTE);
    },
    goesOn: (scene) => scene.run({}, { upTo: 'claimed' }),
    end: (scene) => scene.run({}),
  },
  'deletion-stuck': {
    raise: async ({ ledger }) => {
      await ledger.record(registered('c1', APRIL), event('cluster.deletion-confirmed', 'c1', NOON));
      ledger.pass(2 * HOUR);
    },
    goesOn: ({ ledger }) =>
      ledger.record(event('cluster.deletion-failed', 'c1', NOON, { reason: 'a volume' })),
    end: ({ ledger }) => ledger.record(deleted('c1', NOON)),
  },
  'late-facts': {
    raise: async (scene) => {
      await scene.ledger.record(registered('c1', MARCH), registered('c2', MARCH));
      await scene.send('POST', '/v1/periods/2026-03/close');
      await scene.ledger.record(deleted('c1', '2026-03-20T00:00:00.000Z'));
    },
    goesOn: ({ ledger }) => ledger.record(deleted('c2', '2026-03-20T00:00:00.000Z')),
    changed: /^2 facts changed the usage/,
    end: async (scene) => {
      scene.ledger.pass(30 * DAY);
      await scene.send('POST', '/v1/periods/2026-04/close');
    },
  },
  'count-jump': {
    raise: async ({ ledger }) => {
      // The fifth one raises it. One more before it is sent would be in its text.
      const ids = Array.from({ length: 5 }, (_, n) => `c${n}`);
      await ledger.record(...ids.map((id) => registered(id, NOON)));
    },
    goesOn: ({ ledger, time }) => ledger.record(registered('c5', time)),
    changed: /is billed for 6 clusters/,
    end: async ({ ledger }) => ledger.pass(25 * HOUR),
  },
  'limit-reached': {
    raise: async (scene) => {
      await scene.send('PUT', '/v1/accounts/acme', { limits: { '*': 1 } });
      await scene.ledger.record(registered('c1', APRIL));
    },
    goesOn: ({ ledger }) => ledger.record(registered('c2', APRIL)),
    changed: /^2 clusters are billed and the limit of the plan is 1$/,
    end: (scene) => scene.send('PUT', '/v1/accounts/acme', { limits: { '*': 9 } }),
  },
  'id-differs-by-case': {
    raise: ({ ledger }) => ledger.record(registered('prod', APRIL), registered('PROD', APRIL)),
    goesOn: ({ ledger }) => ledger.record(stopped('PROD', NOON)),
    end: (scene) => scene.acknowledge('id-differs-by-case'),
  },
  'event-id-on-two-clusters': {
    raise: ({ ledger }) => ledger.record(shared('c1'), shared('c2')),
    goesOn: ({ ledger }) => ledger.post(shared('c2')),
    end: (scene) => scene.acknowledge('event-id-on-two-clusters'),
  },
  'clock-untrusted': {
    raise: async ({ ledger }) => {
      await ledger.record(registered('c1', APRIL));
      ledger.setClock('2026-06-24T12:00:00.000Z');
    },
    goesOn: async ({ ledger }) => ledger.setClock('2026-07-24T12:00:00.000Z'),
    end: (scene) => scene.send('POST', '/v1/clock/trust', { reason: 'compared with a time server' }),
  },
  'key-expiring': {
    raise: async (scene) => {
      const { key } = await createKey(scene.ledger, undefined, { role: 'operator' });
      scene.key = key;
      const expiresAt = new Date(scene.ledger.now + 56 * DAY).toISOString();
      scene.id = (await createKey(scene.ledger, key, { role: 'producer', expiresAt })).id;
      scene.ledger.pass(43 * DAY);
    },
    goesOn: async ({ ledger }) => ledger.pass(DAY),
    end: (scene) => scene.send('POST', `/v1/keys/${scene.id}/revoke`),
  },
  'delivery-parked': {
    raise: async (scene) => {
      scene.receiver.answer = (message, response) =>
        (message.event.subject.startsWith('poison') ? answerWith(422) : ACCEPT)(message, response);
      scene.id = (await scene.send('POST', '/v1/webhooks', { url: scene.receiver.url })).webhookId;
      await parked(scene, 1);
    },
    goesOn: (scene) => parked(scene, 2),
    changed: /refused 2 messages/,
    end: async (scene) => {
      scene.receiver.answer = ACCEPT;
      await scene.send('POST', `/v1/webhooks/${scene.id}/replay-parked`);
    },
  },
  'webhook-disabled': {
    raise: async (scene) => {
      scene.receiver.answer = answerWith(410);
      scene.id = (await scene.send('POST', '/v1/webhooks', { url: scene.receiver.url })).webhookId;
      await scene.ledger.record(registered('c1', APRIL));
    },
    goesOn: ({ ledger }) => ledger.record(registered('c2', APRIL)),
    end: async (scene) => {
      scene.receiver.answer = ACCEPT;
      const { url } = scene.receiver;
      await scene.send('PUT', `/v1/webhooks/${scene.id}`, { url, enabled: true });
    },
  },
  'statement-drift': {
    raise: async ({ ledger }) => {
      await ledger.record(registered('c1', '2026-01-10T00:00:00.000Z'));
      const totals = { billableClusters: 1, clusterSeconds: '1.000' };
      const closing = {
        period: '2026-01',
        watermark: 1,
        accounts: 1,
        totals,
        statementsDigest: 'f'.repeat(64),
      };
      const closings = new PeriodClosingStore(ledger.rooms.store, () => ledger.now);
      await closings.record({ ...closing, rules: 2 }, 'a hand in the till');
    },
    goesOn: ({ ledger }) => ledger.reopen(),
  },
  'log-tampered': {
    raise: async ({ ledger }) => {
      await ledger.record(registered('c1', MARCH), registered('c2', MARCH));
      await ledger.close();
      const db = new DatabaseSync(ledger.storeFile);
      db.exec(`UPDATE log SET data = replace(data, '"acme"', '"acmf"') WHERE position = 1`);
      db.close();
      await ledger.open();
    },
    goesOn: ({ ledger }) => ledger.get('/v1/accounts'),
  },
  'log-behind': {
    raise: async ({ ledger }) => {
      await ledger.record(registered('c1', MARCH));
      await putBackAfter(ledger, [ledger.storeFile], () => ledger.record(registered('c2', MARCH)));
      await ledger.open();
    },
    goesOn: ({ ledger }) => ledger.post(registered('c3', MARCH)),
    end: async (scene) => {
      await scene.send('POST', '/v1/log/accept-loss', { reason: 'there is no newer backup' });
      await until(() => scene.ledger.acceptedLoss !== undefined);
      await scene.ledger.reopen();
    },
    endsSilently: true,
  },
};

const OTHER_ACCOUNT = { accountId: 'globex', name: 'c1' };
const CONFIRMED = { ...SHORT, confirmWith: 'inventory' };
const STRANGER = { cluster_id: 'wl1abc', cluster_type: 'workload', domain: 'customer.com' };

function shared(clusterId: string) {
  const data = { accountId: 'acme', name: clusterId };
  return event('cluster.registered', clusterId, APRIL, data, { id: 'e-shared' });
}

/** Waits for a run of the whole validator, with its prober. */
async function validated(scene: Scene): Promise<void> {
  const { id } = await scene.send('POST', '/v1/validations', {});
  await until(async () => (await scene.send('GET', `/v1/validations/${id}`)).state === 'completed');
}

/** Posts a fact that the receiver never takes, and others that it takes, until so many are parked. */
async function parked(scene: Scene, count: number): Promise<void> {
  await scene.ledger.record(registered(`poison-${count}`, APRIL));
  for (let other = 0; ; other++) {
    await scene.ledger.record(registered(`other-${count}-${other}`, APRIL));
    const isTaken = () =>
      scene.receiver.accepted.some(({ event }) => event.subject === `other-${count}-${other}`);
    await until(isTaken);
    const { delivery } = await scene.send('GET', `/v1/webhooks/${scene.id}`);
    if (delivery.parked === count) return;
    scene.ledger.pass(3 * HOUR);
  }
}

let slack: JsonReceiver;
beforeAll(async () => {
  slack = await JsonReceiver.start();
});
afterAll(() => slack.stop());

/** Runs a row on a ledger of its own. */
async function withScene(kind: AlertKind, work: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'alert-table-'));
  const receiver = new Receiver();
  await receiver.start();
  const channel = { name: 'people', type: 'slack', url: `${slack.url}/${kind}`, minSeverity: 'info' };
  const environment = {
    LEDGER_ALERTS_ANNOUNCE: 'true',
    LEDGER_NOTIFICATIONS: JSON.stringify([channel]),
    ...ROWS[kind].environment?.(folder),
  };
  const ledger = await openLedger({ environment, clockGoesOn: true });
  try {
    await work(new Scene(ledger, receiver, folder));
  } finally {
    await ledger.discard();
    await receiver.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns the first line of each message of a kind that the channel got. */
const messagesOf = (kind: AlertKind): string[] =>
  slack.received
    .filter(({ path, body }) => path === `/${kind}` && body.text.includes(`*${kind}*`))
    .map(({ body }) => body.text.split('\n')[0]);

describe.concurrent('an alert is raised once, sent, changed while it lasts, and resolved', () => {
  test.each(ALERT_KINDS)('%s', async (kind) => {
    const { raise, goesOn, changed, end, endsSilently = false } = ROWS[kind];
    await withScene(kind, async (scene) => {
      const current = async () =>
        (await scene.alerts(kind)).filter(({ state }: { state: string }) => state !== 'resolved');
      await raise(scene);
      await until(async () => (await current()).length > 0 && messagesOf(kind).length > 0);
      const [raised, ...others] = await current();
      expect([others, raised.state]).toEqual([[], 'open']);
      expect(messagesOf(kind)).toEqual([expect.stringContaining(raised.happened)]);

      scene.ledger.pass(HOUR);
      await goesOn(scene);
      if (changed !== undefined) await until(() => messagesOf(kind).length > 1);
      const [lasting, ...more] = await current();
      expect([more, lasting.id, lasting.raisedAt]).toEqual([[], raised.id, raised.raisedAt]);
      if (changed === undefined) expect(lasting.happened).toBe(raised.happened);
      else expect(lasting.happened).toMatch(changed);

      await end?.(scene);
      if (end !== undefined) await until(async () => (await current()).length === 0);
      const before = changed === undefined ? 1 : 2;
      const isSent = end !== undefined && !endsSilently;
      const isResolved = ({ id, state }: { id: string; state: string }) =>
        id === raised.id && state === 'resolved';
      if (isSent) await until(async () => (await scene.alerts(kind)).some(isResolved));
      if (isSent) await until(() => messagesOf(kind).length > before);
      expect(messagesOf(kind).map((text) => text.startsWith(':white_check_mark: resolved'))).toEqual([
        ...new Array(before).fill(false),
        ...(isSent ? [true] : []),
      ]);
    });
  });
});
