import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { MalformedKey } from '../../../src/audit/note-key.ts';
import { CosignatureStore } from '../../../src/audit/witness/cosignature-store.ts';
import { Witnesses } from '../../../src/audit/witness/witnesses.ts';
import { StoreFull } from '../../../src/eventstore/store-errors.ts';
import { sqliteStoreForTest } from '../../support/sqlite-store.ts';
import { until } from '../../support/until.ts';
import { treeOf } from '../leaves.ts';
import { Cosigner } from './cosigner.ts';

const TIME = 1_700_000_000;
const textOf = (size: number) => `ledger.example/log\n${size}\nroot ${size}\n`;
const noteOf = (size: number) => `${textOf(size)}\n— ledger.example/log AAAA\n`;

/** A log of which a test says the newest checkpoint. It counts how often it was asked for it. */
class Log {
  readonly #tree = treeOf(20);
  readonly tree = {
    consistencyProof: async (from: number, to: number) => this.#tree.consistencyProof(from, to),
  };
  isReady = true;
  size: number | undefined;
  looks = 0;

  newest() {
    this.looks++;
    if (this.size === undefined) return undefined;
    return { note: noteOf(this.size), size: this.size, root: new Uint8Array(32), signedAt: 0 };
  }

  /** Waits until it was asked twice more, so that whatever the first look begins has ended. */
  async lookedAtTwice(): Promise<void> {
    const before = this.looks;
    await until(() => this.looks >= before + 2);
  }

  /** Hashes of the consistency proof, in base64. */
  proof(from: number, to: number): string[] {
    return Buffer.from(this.#tree.consistencyProof(from, to))
      .toString('hex')
      .match(/.{64}/g)
      ?.map((each) => Buffer.from(each, 'hex').toString('base64')) as string[];
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/** A witness that cosigns every checkpoint, until a test says other answers. */
class ScriptedWitness extends Cosigner {
  readonly posted: { old: number; proof: string[]; size: number }[] = [];
  readonly next: Answer[] = [];
  url = '';

  async listen(): Promise<void> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const [head = '', text = ''] = Buffer.concat(chunks).toString('utf8').split('\n\n');
      const [old = '', ...proof] = head.split('\n');
      const size = Number(text.split('\n')[1]);
      this.posted.push({ old: Number(old.replace('old ', '')), proof, size });
      const cosigned = { status: 200, body: `${this.cosign(textOf(size), TIME)}\n` };
      const { status, body, type = 'text/plain' }: Answer = this.next.shift() ?? cosigned;
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

const conflict = (size: number): Answer => ({ status: 409, body: `${size}\n`, type: 'text/x.tlog.size' });

describe('a ledger with a witness', () => {
  let store: Awaited<ReturnType<typeof sqliteStoreForTest>>;
  let log: Log;
  let witness: ScriptedWitness;
  let logged: [level: string, details: object, message: string][];

  beforeEach(async () => {
    store = await sqliteStoreForTest();
    log = new Log();
    witness = new ScriptedWitness();
    logged = [];
    await witness.listen();
  });

  function started(
    by: readonly Cosigner[] = [witness],
    on: Pick<typeof store, 'append' | 'readStream'> = store,
  ) {
    const to = (level: string) => (details: object, message: string) =>
      void logged.push([level, details, message]);
    const witnesses = new Witnesses(log, on, {
      witnesses: by.map(({ key }) => ({ url: witness.url, key })),
      now: () => 1_800_000_000_000,
      log: { info: to('info'), warn: to('warn'), error: to('error') },
    });
    witnesses.start();
    onTestFinished(() => witnesses.stop());
    return witnesses;
  }

  const isCosigned = (witnesses: Witnesses, size: number) =>
    witnesses.cosigned({ note: noteOf(size) }) !== noteOf(size);

  test('posts the first checkpoint without a proof, and adds the cosignature to its note only', async () => {
    log.size = 3;
    const witnesses = started();
    expect(isCosigned(witnesses, 3)).toBe(false);
    await until(() => isCosigned(witnesses, 3));
    expect(witnesses.cosigned({ note: noteOf(3) })).toBe(`${noteOf(3)}${witness.cosign(textOf(3), TIME)}\n`);
    expect(witnesses.cosigned({ note: noteOf(2) })).toBe(noteOf(2));
    expect(witness.posted).toEqual([{ old: 0, proof: [], size: 3 }]);
    expect(await new CosignatureStore(store).newest()).toEqual([
      { size: 3, witness: 'witness.example/w1', line: witness.cosign(textOf(3), TIME) },
    ]);
    expect(logged).toEqual([]);
  });

  test('posts a later checkpoint with the proof since the one before, and each one once', async () => {
    log.size = 3;
    const witnesses = started();
    await until(() => isCosigned(witnesses, 3));
    await log.lookedAtTwice();
    log.size = 13;
    await until(() => isCosigned(witnesses, 13));
    await log.lookedAtTwice();
    const proof = log.proof(3, 13);
    expect(proof).toHaveLength(5);
    expect(witness.posted).toEqual([
      { old: 0, proof: [], size: 3 },
      { old: 3, proof, size: 13 },
    ]);
  });

  test('posts nothing before its log is ready and has an event', async () => {
    log.isReady = false;
    log.size = 3;
    const witnesses = started();
    log.size = undefined;
    log.isReady = true;
    await log.lookedAtTwice();
    log.size = 0;
    await log.lookedAtTwice();
    log.size = 1;
    await until(() => isCosigned(witnesses, 1));
    expect(witness.posted).toEqual([{ old: 0, proof: [], size: 1 }]);
    expect(logged).toEqual([]);
  });

  test('asks again from the size that the witness knows', async () => {
    log.size = 13;
    witness.next.push(conflict(5));
    const witnesses = started();
    await until(() => isCosigned(witnesses, 13));
    expect(witness.posted).toEqual([
      { old: 0, proof: [], size: 13 },
      { old: 5, proof: log.proof(5, 13), size: 13 },
    ]);
    expect(logged).toEqual([]);
  });

  test('asks again without a proof if the witness knows this checkpoint', async () => {
    log.size = 13;
    witness.next.push(conflict(13));
    const witnesses = started();
    await until(() => isCosigned(witnesses, 13));
    expect(witness.posted.map(({ old, proof }) => [old, proof])).toEqual([
      [0, []],
      [13, []],
    ]);
  });

  test('reports a witness that knows a longer log, and asks it no more for a while', async () => {
    log.size = 3;
    witness.next.push(conflict(4));
    const witnesses = started();
    await until(() => logged.length > 0);
    expect(logged).toEqual([
      [
        'error',
        { witness: 'witness.example/w1', size: 3, known: 4 },
        'the witness knows a longer log: this log has lost events, or another one has its name',
      ],
    ]);
    await log.lookedAtTwice();
    expect(witness.posted).toHaveLength(1);
    expect(isCosigned(witnesses, 3)).toBe(false);
  });

  test.each<[string, Answer, string]>([
    ['fails', { status: 500, body: 'out of order' }, 'it answered 500: out of order'],
    [
      'cosigns another text',
      { status: 200, body: '— witness.example/w1 AAAA\n' },
      'its cosignature is not valid',
    ],
    ['cosigns nothing', { status: 200, body: '' }, 'its cosignature is not valid'],
  ])('reports a witness that %s, and asks it no more for a while', async (_, answer, why) => {
    log.size = 3;
    witness.next.push(answer);
    const witnesses = started();
    await until(() => logged.length > 0);
    expect(logged).toEqual([
      [
        'warn',
        { witness: 'witness.example/w1', size: 3, why },
        'the witness did not cosign the checkpoint; it is asked again',
      ],
    ]);
    await log.lookedAtTwice();
    expect(witness.posted).toHaveLength(1);
    expect(isCosigned(witnesses, 3)).toBe(false);
    expect(await new CosignatureStore(store).newest()).toEqual([]);
  });

  test('finds the valid cosignature among other lines of an answer', async () => {
    log.size = 3;
    const line = witness.cosign(textOf(3), TIME);
    witness.next.push({ status: 200, body: `— witness.example/w2 AAAA\n${line}\n` });
    const witnesses = started();
    await until(() => isCosigned(witnesses, 3));
    expect(witnesses.cosigned({ note: noteOf(3) })).toBe(`${noteOf(3)}${line}\n`);
  });

  test('reads back the newest cosignature of each witness after a restart', async () => {
    const stored = new CosignatureStore(store);
    const line = (time: number, size = 3) => witness.cosign(textOf(size), time);
    for (const each of [
      line(TIME),
      line(TIME + 1),
      line(TIME + 2, 2),
      new Cosigner('w2').cosign(textOf(3), TIME),
    ])
      await stored.append({ size: 3, witness: 'witness.example/w1', line: each }, 0);
    log.size = 3;
    const witnesses = started();
    await until(() => isCosigned(witnesses, 3));
    expect(witnesses.cosigned({ note: noteOf(3) })).toBe(`${noteOf(3)}${line(TIME + 1)}\n`);
    await log.lookedAtTwice();
    expect(witness.posted).toEqual([]);
    log.size = 13;
    await until(() => isCosigned(witnesses, 13));
    expect(witness.posted).toEqual([{ old: 0, proof: [], size: 13 }]);
  });

  test('asks again soon if a cosignature cannot be kept, and does not serve it before', async () => {
    log.size = 3;
    const error = new StoreFull('the disk is full');
    let isFull = true;
    const witnesses = started([witness], {
      readStream: store.readStream.bind(store),
      append: (...args) => (isFull ? Promise.reject(error) : store.append(...args)),
    });
    await until(() => logged.length > 0);
    expect(isCosigned(witnesses, 3)).toBe(false);
    isFull = false;
    await until(() => isCosigned(witnesses, 3));
    expect(logged[0]).toEqual([
      'warn',
      { err: error },
      'cosignatures cannot be kept now; the witnesses are asked again',
    ]);
    expect(witness.posted.every(({ old }) => old === 0)).toBe(true);
  });

  test('serves the cosignatures of its witnesses in the order of its settings', async () => {
    log.size = 3;
    const second = new Cosigner('witness.example/w2');
    const both = `${second.cosign(textOf(3), TIME)}\n${witness.cosign(textOf(3), TIME)}\n`;
    witness.next.push({ status: 200, body: both }, { status: 200, body: both });
    const witnesses = started([second, witness]);
    await until(() => witnesses.cosigned({ note: noteOf(3) }) === noteOf(3) + both);
  });

  test('posts nothing after its stop, and reports no request that the stop ended', async () => {
    log.size = 3;
    const witnesses = started();
    await witnesses.stop();
    const { looks } = log;
    expect(logged).toEqual([]);
    log.size = 4;
    expect([log.looks, isCosigned(witnesses, 4)]).toEqual([looks, false]);
  });

  test('does not look at its log without a witness', () => {
    log.size = 3;
    const witnesses = started([]);
    expect(log.looks).toBe(0);
    expect(witnesses.cosigned({ note: noteOf(3) })).toBe(noteOf(3));
  });

  test('refuses the key of a witness that cannot be parsed', () => {
    const options = { now: () => 0, log: { info() {}, warn() {}, error() {} } };
    const witnesses = [{ url: witness.url, key: 'nonsense' }];
    expect(() => new Witnesses(log, store, { ...options, witnesses })).toThrow(MalformedKey);
  });
});
