import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { formatCheckpoint } from '../../../src/audit/checkpoint-text.ts';
import { signNote } from '../../../src/audit/note.ts';
import { NoteSigner } from '../../../src/audit/note-key.ts';
import { MAX_EVIDENCE_BYTES } from '../../../src/audit/verify/evidence-file.ts';
import { verifyEvidence } from '../../../src/audit/verify/verify-evidence.ts';
import { registered } from '../../support/cloud-events.ts';
import { recordDispute } from '../../support/disputed.ts';
import { evidenceOf, forged, type Parsed, publishedKeys } from '../../support/evidence.ts';
import { openLedger, type TestLedger } from '../../support/ledger.ts';

let ledger: TestLedger & { discard(): Promise<void> };
let older: string;
let keys: string[];
let file: Buffer;
let open: Buffer;
let others: Parsed;

beforeAll(async () => {
  ledger = await openLedger();
  older = await recordDispute(ledger);
  keys = await publishedKeys(ledger);
  file = await evidenceOf(ledger, 'acme', '2026-02', 6);
  open = await evidenceOf(ledger, 'acme', '2026-04');
  others = JSON.parse((await evidenceOf(ledger, 'globex', '2026-02')).toString('utf8'));
});
afterAll(() => ledger.discard());

const byLedger = (text: string) => ledger.rooms.signedLog.sign(text);
const clusterOf = (evidence: Parsed, id: string) =>
  evidence.clusters.find(({ clusterId }: Parsed) => clusterId === id);

describe('an honest file', () => {
  test('proves the statement of a closed period, with what was known later about the months before', () => {
    expect(verifyEvidence(file, { keys, olderCheckpoint: older })).toEqual({
      ok: true,
      summary: {
        origin: ledger.rooms.signedLog.origin,
        accountId: 'acme',
        period: '2026-02',
        size: 20,
        clusters: 4,
        facts: 14,
        closings: 3,
        figure: 'statement',
        consistentSince: 6,
        sealedBy: [ledger.rooms.signedLog.origin],
      },
    });
    const { statement } = JSON.parse(file.toString('utf8')).evidence;
    expect(statement.adjustments).toHaveLength(1);
    expect(statement.adjustments[0].facts).toHaveLength(3);
  });

  test('proves adjustments of months before the first closed one if no beginning is recorded', async () => {
    const young = await openLedger();
    onTestFinished(() => young.discard());
    const close = (period: string) =>
      young.fetch(`/v1/periods/${period}/close`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    await young.record(registered('c1', '2026-01-05T00:00:00Z'));
    expect(await close('2026-01')).toMatchObject({ status: 200 });
    await young.record(registered('c2', '2025-11-15T00:00:00Z', 'acme', { clusterType: 'vcluster' }));
    expect(await close('2026-02')).toMatchObject({ status: 200 });
    const late = await evidenceOf(young, 'acme', '2026-02');
    const { adjustments } = JSON.parse(late.toString('utf8')).evidence.statement;
    expect(adjustments.map(({ period }: Parsed) => period)).toEqual(['2025-11', '2025-12', '2026-01']);
    expect(verifyEvidence(late, { keys: await publishedKeys(young) })).toMatchObject({ ok: true });
  });

  test('proves the usage of a period that is not closed', () => {
    expect(verifyEvidence(open, { keys })).toMatchObject({ ok: true, summary: { figure: 'usage' } });
  });

  test('proves that an account has no statement', async () => {
    const free = await evidenceOf(ledger, 'initech', '2026-02');
    expect(JSON.parse(free.toString('utf8')).evidence.statement).toBeNull();
    expect(verifyEvidence(free, { keys })).toMatchObject({ ok: true, summary: { figure: 'no statement' } });
  });

  test('is the same bytes whenever it is asked for, until something is recorded', async () => {
    expect(await evidenceOf(ledger, 'acme', '2026-02', 6)).toEqual(file);
  });

  test('is believed on any of the keys that sealed it, and on no other', () => {
    const stranger = NoteSigner.generate('stranger.example').verifier.toString();
    expect(verifyEvidence(file, { keys: [stranger, ...keys] })).toMatchObject({ ok: true });
    expect(verifyEvidence(file, { keys: [stranger] })).toMatchObject({ ok: false, check: 'signature' });
    expect(verifyEvidence(file, { keys: [] })).toMatchObject({ ok: false, check: 'signature' });
    expect(verifyEvidence(file, { keys: ['no key'] })).toMatchObject({ ok: false, check: 'signature' });
  });
});

describe('an older checkpoint', () => {
  const signed = (size: number, root: Uint8Array, origin = ledger.rooms.signedLog.origin) =>
    byLedger(formatCheckpoint({ origin, size, root }));

  test('must be one that the log continues', async () => {
    const head = await ledger.rooms.signedLog.tree.sizeAndRoot(20);
    const same = signed(20, head.root);
    expect(verifyEvidence(file, { keys, olderCheckpoint: same })).toMatchObject({ ok: true });
    for (const [size, why] of [
      [20, /first 20 events .* are not those/],
      [6, /first 6 events .* are not those/],
      [5, /ask for it with since=5/],
      [21, /fewer than the 21/],
    ] as const) {
      const olderCheckpoint = signed(size, new Uint8Array(32));
      expect(verifyEvidence(file, { keys, olderCheckpoint })).toEqual({
        ok: false,
        check: 'consistency',
        why: expect.stringMatching(why),
      });
    }
  });

  test('must be signed, and of the same log', () => {
    const origin = 'another.example/log';
    for (const olderCheckpoint of [
      '',
      'x',
      older.replace('\n6\n', '\n7\n'),
      signed(0, new Uint8Array(32), origin),
    ])
      expect(verifyEvidence(file, { keys, olderCheckpoint })).toMatchObject({
        ok: false,
        check: 'signature',
      });
  });
});

/** Somebody with the key of the ledger can seal any file, so each of the other checks must hold on its own. */
describe.each<[lie: string, check: string, why: RegExp, change: (evidence: Parsed) => void]>([
  [
    'a changed fact',
    'inclusion',
    /position 2 \(cluster-c2, revision 0/,
    (evidence) => {
      clusterOf(evidence, 'c2').facts[0].leaf.data.effectiveAt = '2026-01-11T00:00:00.000Z';
    },
  ],
  [
    'a fact in another place',
    'inclusion',
    /position 9 \(cluster-c2/,
    (evidence) => {
      clusterOf(evidence, 'c2').facts[1].index += 1;
    },
  ],
  [
    'a closing with another watermark',
    'inclusion',
    /position 7 \(period-2026-01/,
    (evidence) => {
      evidence.closings[0].leaf.data.watermark = '5';
    },
  ],
  [
    'a fact left out between others',
    'completeness',
    /c1 goes on with revision 2, at position 6, where 1/,
    (evidence) => {
      clusterOf(evidence, 'c1').facts.splice(1, 1);
    },
  ],
  [
    'a fact twice',
    'completeness',
    /c1 goes on with revision 0/,
    ({ clusters: [c1] }) => {
      c1.facts.splice(1, 0, c1.facts[0]);
    },
  ],
  [
    'a cluster twice',
    'completeness',
    /c1 does not come after c1/,
    (evidence) => {
      evidence.clusters.unshift(evidence.clusters[0]);
    },
  ],
  [
    'a fact of another cluster',
    'completeness',
    /of cluster-c2, not of cluster c9/,
    (evidence) => {
      clusterOf(evidence, 'c9').facts.push(clusterOf(evidence, 'c2').facts[1]);
    },
  ],
  [
    'a cluster of another account',
    'completeness',
    /no fact gives cluster g1 to account acme/,
    (evidence) => {
      evidence.clusters.splice(3, 0, clusterOf(others.evidence, 'g1'));
    },
  ],
  [
    'a closing left out between others',
    'completeness',
    /2026-03, which does not follow on 2026-01/,
    (evidence) => {
      evidence.closings.splice(1, 1);
    },
  ],
  [
    'closings in another order',
    'completeness',
    /2026-01, which does not follow on 2026-02/,
    (evidence) => {
      evidence.closings.reverse().splice(0, 1);
    },
  ],
  [
    'a fact as a closing',
    'completeness',
    /is not a closing of a period/,
    (evidence) => {
      evidence.closings.push(clusterOf(evidence, 'c9').facts[0]);
    },
  ],
  [
    'the first closing left out',
    'statement',
    /statement.adjustments\[0\] is .*; by the facts it is not there/,
    (evidence) => {
      evidence.closings.shift();
    },
  ],
  [
    'the last closings left out',
    'statement',
    /there is no closing of 2026-02/,
    (evidence) => {
      evidence.closings.splice(1);
    },
  ],
  [
    'the last facts of a cluster left out',
    'statement',
    /statement.usage.billableClusters is 1; by the facts it is 2/,
    (evidence) => {
      clusterOf(evidence, 'c2').facts.splice(1);
    },
  ],
  [
    'a voided registration left out',
    'statement',
    /statement.adjustments/,
    (evidence) => {
      evidence.clusters.splice(evidence.clusters.indexOf(clusterOf(evidence, 'shared')), 1);
    },
  ],
  [
    'another total',
    'statement',
    /statement.total.clusterSeconds is "1.000"; by the facts it is/,
    (evidence) => {
      evidence.statement.total.clusterSeconds = '1.000';
    },
  ],
  [
    'another cause of an adjustment',
    'statement',
    /statement.adjustments\[0\].facts\[0\]/,
    (evidence) => {
      evidence.statement.adjustments[0].facts.reverse();
    },
  ],
  [
    'another time of closing',
    'statement',
    /statement.closedAt/,
    (evidence) => {
      evidence.statement.closedAt = '2026-03-01T00:00:00.000Z';
    },
  ],
  [
    'a member more',
    'statement',
    /statement.discount is "10"; by the facts it is not there/,
    (evidence) => {
      evidence.statement.discount = '10';
    },
  ],
  [
    'the statement of another account',
    'statement',
    /statement.statementId/,
    (evidence) => {
      evidence.statement = others.evidence.statement;
    },
  ],
  [
    'no statement',
    'statement',
    /statement is null/,
    (evidence) => {
      evidence.statement = null;
    },
  ],
  [
    'a usage of a closed period',
    'statement',
    /2026-02 was closed at position 13: it has a statement/,
    (evidence) => {
      delete evidence.statement;
      evidence.usage = {};
    },
  ],
  [
    'a proof of consistency of another size',
    'consistency',
    /20 events is not shown to continue the one of 7/,
    (evidence) => {
      evidence.consistency[0].size = 7;
    },
  ],
  [
    'a kept checkpoint of another size',
    'consistency',
    /kept checkpoint of 6 events/,
    (evidence) => {
      evidence.consistency[0].checkpoint = evidence.checkpoint;
    },
  ],
  [
    'another origin',
    'signature',
    /not of other.example/,
    (evidence) => {
      evidence.origin = 'other.example';
    },
  ],
  [
    'an older checkpoint',
    'inclusion',
    /is not in the log of 6 events/,
    (evidence) => {
      evidence.checkpoint = older;
    },
  ],
  [
    'a key that has not sealed',
    'seal',
    /exactly the keys that the file names/,
    ({ keys }) => {
      keys.push(NoteSigner.generate('other.example').verifier.toString());
    },
  ],
  [
    'another format',
    'format',
    /evidence.format/,
    (evidence) => {
      evidence.format = 'cluster-ledger evidence v3';
    },
  ],
  [
    'the format of a former release',
    'format',
    /is of the format "cluster-ledger evidence v1"; this release reads "cluster-ledger evidence v2"/,
    (evidence) => {
      evidence.format = 'cluster-ledger evidence v1';
    },
  ],
  [
    'a member that nobody knows',
    'format',
    /evidence: must be an object without a member "note"/,
    (evidence) => {
      evidence.note = 'x';
    },
  ],
])('a ledger that lies by %s', (_, check, why, change) => {
  test(`is found out by the check of ${check}`, () => {
    const verdict = verifyEvidence(forged(file, change, byLedger), { keys });
    expect(verdict).toEqual({ ok: false, check, why: expect.stringMatching(why) });
  });
});

describe.each<[lie: string, change: (usage: Parsed) => void]>([
  ['the figure', ({ usage }) => Object.assign(usage, { peakClusters: 9 })],
  ['the window', ({ window }) => Object.assign(window, { to: '2026-05-02T00:00:00.000Z' })],
  ['the end of what is counted', (usage) => Object.assign(usage, { through: '2026-04-10T00:00:00.000Z' })],
  ['an instant that is none', (usage) => Object.assign(usage, { through: '2026-02-31T00:00:00.000Z' })],
  ['what is known', (usage) => Object.assign(usage, { position: '3', asOf: '3' })],
  ['what nobody can know yet', (usage) => Object.assign(usage, { position: '99', asOf: '99' })],
])('a usage with a lie about %s', (_, change) => {
  test('is found out', () => {
    const lie = forged(open, ({ usage }) => void change(usage), byLedger);
    expect(verifyEvidence(lie, { keys })).toMatchObject({ ok: false, check: 'statement' });
  });
});

describe('somebody who has everything except the key', () => {
  const thief = NoteSigner.generate('thief.example');
  const byThief = (text: string) => signNote(text, [thief]);
  const twin = () => {
    const namesake = NoteSigner.generate(ledger.rooms.signedLog.origin);
    return { key: namesake.verifier.toString(), sign: (text: string) => signNote(text, [namesake]) };
  };
  /** Leaves out a fact so that only the seal shows it. */
  const leaveOut = (evidence: Parsed) => void clusterOf(evidence, 'c1').facts.pop();

  test('cannot leave out the last fact of a cluster, not even one that changes no figure', () => {
    expect(verifyEvidence(forged(file, leaveOut, byLedger), { keys })).toMatchObject({ ok: true });
    for (const sign of [byThief, twin().sign, () => JSON.parse(file.toString('utf8')).seal])
      expect(verifyEvidence(forged(file, leaveOut, sign), { keys })).toMatchObject({
        ok: false,
        check: 'seal',
      });
  });

  test('cannot have the file vouch for their key', () => {
    const { key, sign } = twin();
    const change = (evidence: Parsed) => {
      leaveOut(evidence);
      evidence.keys = [key];
    };
    expect(verifyEvidence(forged(file, change, sign), { keys })).toMatchObject({ ok: false, check: 'seal' });
  });

  test('cannot put the seal of one file onto another, nor a checkpoint in its place', async () => {
    for (const seal of [others.seal, JSON.parse(open.toString('utf8')).seal, older])
      expect(
        verifyEvidence(
          forged(file, leaveOut, () => seal),
          { keys },
        ),
      ).toMatchObject({ ok: false, check: 'seal' });
  });
});

describe('bytes that are not evidence', () => {
  const refused = (bytes: string | Uint8Array) =>
    expect(verifyEvidence(Buffer.from(bytes as string), { keys })).toMatchObject({
      ok: false,
      check: 'format',
    });

  test('are refused, however hostile', () => {
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}\n`;
    const few = [
      '',
      '\n',
      'null\n',
      '0\n',
      '[]\n',
      '{}\n',
      '"x"\n',
      '{"evidence":{},"seal":""}\n',
      '-0\n',
      '1e2\n',
    ];
    for (const bytes of [...few, deep, `{"a":${deep}`, '"\\ud800"\n', '"\\', '{"__proto__":1}\n'])
      refused(bytes);
    for (const bytes of [[0xff], [0xef, 0xbb, 0xbf, 0x7b, 0x7d], [0x22, 0xc0, 0x80, 0x22]])
      refused(Uint8Array.from(bytes));
  });

  test('are refused before they fill the memory', () => {
    const many = (one: string, count: number) => `{"evidence":[${`${one},`.repeat(count)}0]}\n`;
    refused(many('[]', 9_000_000));
    refused(many('{}', 1_000_000));
    refused(Buffer.alloc(MAX_EVIDENCE_BYTES + 1, 0x20));
  });

  test('never make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void refused(bytes)),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.json(), (json) => void refused(`${json}\n`)),
      { numRuns: 500 },
    );
  });

  test('are refused where the file says the same in another way', () => {
    const text = file.toString('utf8');
    const again = JSON.stringify(JSON.parse(text), null, 1);
    for (const other of [again, text.trim(), `${text}\n`, ` ${text}`, text.replace('"seal"', '"\\u0073eal"')])
      refused(other);
  });
});
