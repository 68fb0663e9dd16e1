import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseCheckpoint } from '../../../src/audit/checkpoint-text.ts';
import { openNote } from '../../../src/audit/note.ts';
import { NoteVerifier } from '../../../src/audit/note-key.ts';
import { verifyConsistency } from '../../../src/audit/verify-proof.ts';
import { WitnessKey } from '../../../src/audit/witness/cosignature.ts';
import { registered } from '../../support/cloud-events.ts';
import { ledgerForTest, type TestLedger } from '../../support/ledger.ts';
import { until } from '../../support/until.ts';
import { Cosigner } from './cosigner.ts';

const APRIL = '2026-04-01T00:00:00.000Z';

/** A witness as C2SP tlog-witness defines it, which checks everything that the specification asks of a witness. */
class TestWitness extends Cosigner {
  /** Verifier keys of the log; unknown until a test sets them. */
  logKeys: readonly string[] = [];
  /** Newest checkpoint that it has cosigned. */
  known: { size: number; root: Uint8Array } = { size: 0, root: hash('sha256', '', 'buffer') };
  readonly answered: number[] = [];
  url = '';
  #time = 1_700_000_000;

  async listen(): Promise<void> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const isAdd = request.method === 'POST' && request.url === '/w/add-checkpoint';
      const {
        status,
        type = 'text/plain',
        body,
      } = isAdd ? this.#add(Buffer.concat(chunks).toString('utf8')) : { status: 404, body: '' };
      this.answered.push(status);
      response.writeHead(status, { 'content-type': type }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/w/`;
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
  }

  #add(body: string): { status: number; type?: string; body: string } {
    const end = body.indexOf('\n\n');
    const [first = '', ...proof] = body.slice(0, end).split('\n');
    const old = Number(/^old (0|[1-9]\d*)$/.exec(first)?.[1]);
    const note = body.slice(end + 2);
    if (Number.isNaN(old)) return { status: 400, body: 'no old size' };
    let text: string;
    try {
      ({ text } = openNote(
        note,
        this.logKeys.map((key) => NoteVerifier.parse(key)),
      ));
    } catch {
      return { status: 403, body: 'no known key has signed' };
    }
    const { size, root } = parseCheckpoint(text);
    if (old > size) return { status: 400, body: 'old is larger' };
    if (old !== this.known.size)
      return { status: 409, type: 'text/x.tlog.size', body: `${this.known.size}\n` };
    const hashes = Buffer.concat(proof.map((each) => Buffer.from(each, 'base64')));
    const isConsistent =
      old === 0 ? hashes.length === 0 : verifyConsistency(hashes, old, size, this.known.root, root);
    if (!isConsistent) return { status: 422, body: 'the proof is wrong' };
    this.known = { size, root };
    return { status: 200, body: `${this.cosign(text, ++this.#time)}\n` };
  }
}

async function witnessed(witness: TestWitness): Promise<TestLedger> {
  await witness.listen();
  const ledger = await ledgerForTest({ signedLog: { witnesses: [{ url: witness.url, key: witness.key }] } });
  witness.logKeys = (await ledger.get('/log/key')).text.trimEnd().split('\n');
  return ledger;
}

async function signNow(ledger: TestLedger): Promise<number> {
  const { text } = await ledger.fetch('/log/checkpoint', { method: 'POST' });
  return parseCheckpoint(text.slice(0, text.lastIndexOf('\n\n') + 1)).size;
}

/** Returns the time of the cosignature of the published checkpoint. */
async function cosignedAt(ledger: TestLedger, { key }: TestWitness): Promise<number | undefined> {
  const { text } = await ledger.get('/log/checkpoint');
  const end = text.lastIndexOf('\n\n');
  const lines = text
    .slice(end + 2)
    .trimEnd()
    .split('\n');
  const times = lines.map((line) => WitnessKey.parse(key).timeOf(line, text.slice(0, end + 1)));
  return times.find((time) => time !== undefined);
}

describe('a witness', () => {
  test('gets each new checkpoint with a proof, and its cosignatures are served', async () => {
    const witness = new TestWitness();
    const ledger = await witnessed(witness);
    for (const count of [3, 4, 300]) {
      await ledger.postBatch(Array.from({ length: count }, (_, i) => registered(`c${count}-${i}`, APRIL)));
      const size = await signNow(ledger);
      await until(
        async () => witness.known.size === size && (await cosignedAt(ledger, witness)) !== undefined,
      );
    }
    expect(witness.answered).toEqual([200, 200, 200]);
    // Verifiers that do not know the witness ignore its line.
    const { text } = await ledger.get('/log/checkpoint');
    expect(
      openNote(
        text,
        witness.logKeys.map((key) => NoteVerifier.parse(key)),
      ).signedBy,
    ).toHaveLength(1);
    const { body } = await ledger.get('/v1/feed?limit=1');
    const { proof } = (await ledger.get(`/v1/events/${body.events[0].ledgereventid}`)).body;
    expect(proof.checkpoint).toBe(text);
  });

  test('is asked again from the size that it knows, after a restart of the ledger', async () => {
    const witness = new TestWitness();
    const ledger = await witnessed(witness);
    await ledger.record(registered('c1', APRIL));
    const size = await signNow(ledger);
    await until(async () => (await cosignedAt(ledger, witness)) !== undefined);
    const before = await cosignedAt(ledger, witness);
    await ledger.reopen();
    // The cosignature was kept: the witness is not asked for the same checkpoint again.
    await until(async () => (await cosignedAt(ledger, witness)) !== undefined);
    expect(await cosignedAt(ledger, witness)).toBe(before);
    await ledger.record(registered('c2', APRIL));
    expect(await signNow(ledger)).toBe(size + 1);
    await until(async () => witness.known.size === size + 1);
    expect(witness.answered).toEqual([200, 409, 200]);
  });

  test('is reported if it knows a longer log, and the ledger continues', async () => {
    const witness = new TestWitness();
    const ledger = await witnessed(witness);
    witness.known = { size: 1_000, root: Buffer.alloc(32) };
    await ledger.record(registered('c1', APRIL));
    await signNow(ledger);
    await until(() => ledger.logged.some(({ known }) => known === 1_000));
    expect(await cosignedAt(ledger, witness)).toBeUndefined();
    await ledger.record(registered('c2', APRIL));
  });
});
