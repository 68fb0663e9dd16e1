import { beforeAll, describe, expect, test } from 'vitest';
import { signNote } from '../../../src/audit/note.ts';
import { type EvidenceOptions, verifyEvidence } from '../../../src/audit/verify/verify-evidence.ts';
import { forged, type Parsed } from '../../support/evidence.ts';
import {
  contentsOf,
  idAt,
  keys,
  ORIGIN,
  type SmallLog,
  signer,
  signerOf,
  smallLog,
  USAGE,
} from './small-log.ts';

let log: SmallLog;
let file: Buffer;

beforeAll(async () => {
  log = smallLog();
  file = await log.evidence(contentsOf(log, { since: 3 }));
});

const sign = (text: string) => signNote(text, [signer]);
const verdictOn = (bytes: Uint8Array, options: Partial<EvidenceOptions> = {}) =>
  verifyEvidence(bytes, { keys, ...options });
const changed = (change: (evidence: Parsed) => void, by = sign) => forged(file, change, by);

const summary = {
  origin: ORIGIN,
  accountId: 'acme',
  period: '2026-02',
  size: 8,
  clusters: 2,
  facts: 4,
  closings: 2,
  figure: 'statement',
  consistentSince: undefined,
  sealedBy: ['ledger.example'],
};

describe('an honest file', () => {
  test('verifies, with a summary of it', () => {
    expect(verdictOn(file)).toEqual({ ok: true, summary });
  });

  test('verifies with the usage of a period that is not closed', async () => {
    const open = await log.evidence(contentsOf(log, { period: '2026-03', figure: { usage: USAGE } }));
    expect(verdictOn(open)).toEqual({
      ok: true,
      summary: { ...summary, period: '2026-03', figure: 'usage' },
    });
  });

  test('verifies without a statement for an account that has none', async () => {
    const none = await log.evidence(
      contentsOf(log, { accountId: 'initech', clusters: [], figure: { statement: null } }),
    );
    expect(verdictOn(none)).toEqual({
      ok: true,
      summary: { ...summary, accountId: 'initech', clusters: 0, facts: 0, figure: 'no statement' },
    });
  });

  test('verifies without a beginning', async () => {
    const none = await log.evidence(contentsOf(log, { beginning: undefined }));
    expect(verdictOn(none)).toEqual({ ok: true, summary });
  });

  test('verifies with each checkpoint that it continues', () => {
    for (const size of [3, 5, 7, 8])
      expect(verdictOn(file, { olderCheckpoint: log.checkpoint(size) })).toEqual({
        ok: true,
        summary: { ...summary, consistentSince: size },
      });
  });

  test('may have a proof since the empty log', async () => {
    const whole = await log.evidence(contentsOf(log, { since: 0 }));
    expect(verdictOn(whole, { olderCheckpoint: log.checkpoint(0) })).toEqual({
      ok: true,
      summary: { ...summary, consistentSince: 0 },
    });
  });

  test('continues the empty log, whatever else it says', () => {
    const olderCheckpoint = log.checkpoint(0);
    expect(verdictOn(file, { olderCheckpoint })).toMatchObject({ ok: true, summary: { consistentSince: 0 } });
  });

  test('may have a kept checkpoint that only former keys have signed', () => {
    const former = signNote('x\n', [signerOf('former.example', 9)]);
    const other = changed(({ consistency }) => {
      consistency[0].checkpoint = former;
    });
    expect(verdictOn(other)).toMatchObject({ ok: true });
  });

  test('is sealed by the given keys among those that it names', async () => {
    const second = signerOf('second.example', 2);
    const both = changed(
      (evidence) => {
        evidence.keys = [signer, second].map(({ verifier }) => verifier.toString());
      },
      (text) => signNote(text, [signer, second]),
    );
    expect(verdictOn(both)).toEqual({ ok: true, summary });
    expect(verdictOn(both, { keys: [...keys, second.verifier.toString()] })).toEqual({
      ok: true,
      summary: { ...summary, sealedBy: ['ledger.example', 'second.example'] },
    });
  });
});

describe('an older checkpoint', () => {
  const other = new Uint8Array(32).fill(3);

  test.each<[title: string, olderCheckpoint: () => string, check: string, why: string]>([
    [
      'that the file has no proof of',
      () => log.checkpoint(4),
      'consistency',
      'nothing in the file shows that the log continues the one of 4 events: ask for it with since=4',
    ],
    [
      'that covers more than the file',
      () => log.checkpoint(9, other),
      'consistency',
      'the file covers 8 events, fewer than the 9 of the older checkpoint: ask for it again',
    ],
    [
      'that has another root at the same size',
      () => log.checkpoint(8, other),
      'consistency',
      'the first 8 events of the log are not those of the older checkpoint: it was changed since',
    ],
    [
      'that has another root at a smaller size',
      () => log.checkpoint(5, other),
      'consistency',
      'the first 5 events of the log are not those of the older checkpoint: it was changed since',
    ],
    [
      'of another log',
      () => log.checkpoint(5, other, 'other.example'),
      'signature',
      `the older checkpoint is of the log other.example, not of ${ORIGIN}`,
    ],
    [
      'that nobody has signed',
      () => '',
      'signature',
      'the older checkpoint is not signed by a key that was given: a note must be text, an empty line and signature lines',
    ],
  ])('%s is refused', (_, olderCheckpoint, check, why) => {
    expect(verdictOn(file, { olderCheckpoint: olderCheckpoint() })).toEqual({ ok: false, check, why });
  });
});

describe('a sealed file', () => {
  test.each<[title: string, check: string, why: string, change: (evidence: Parsed) => void]>([
    [
      'with another origin',
      'signature',
      `the checkpoint of the file is of the log ${ORIGIN}, not of other.example`,
      (evidence) => {
        evidence.origin = 'other.example';
      },
    ],
    [
      'with a changed beginning',
      'inclusion',
      `the event at position 1 (billing, revision 0, ${idAt(1)}) is not in the log of 8 events that was signed`,
      ({ beginning }) => {
        beginning.leaf.data.period = '2026-02';
      },
    ],
    [
      'with a changed closing',
      'inclusion',
      `the event at position 7 (period-2026-02, revision 0, ${idAt(7)}) is not in the log of 8 events that was signed`,
      ({ closings }) => {
        closings[1].leaf.data.watermark = '5';
      },
    ],
    [
      'with a changed fact',
      'inclusion',
      `the event at position 8 (cluster-c1, revision 1, ${idAt(8)}) is not in the log of 8 events that was signed`,
      ({ clusters }) => {
        clusters[0].facts[1].leaf.data.cause = 'missing';
      },
    ],
    [
      'with a fact at another place',
      'inclusion',
      `the event at position 4 (cluster-c2, revision 0, ${idAt(3)}) is not in the log of 8 events that was signed`,
      ({ clusters }) => {
        clusters[1].facts[0].index = 3;
      },
    ],
    [
      'with the proofs of consistency in another order',
      'consistency',
      'consistency[1] is not of a larger log than the one before it',
      ({ consistency }) => {
        consistency.reverse();
      },
    ],
    [
      'with a proof of consistency twice',
      'consistency',
      'consistency[1] is not of a larger log than the one before it',
      ({ consistency }) => {
        consistency.unshift(consistency[0]);
      },
    ],
    [
      'with a proof of consistency of another size',
      'consistency',
      'the log of 8 events is not shown to continue the one of 4',
      ({ consistency }) => {
        consistency[0].size = 4;
      },
    ],
    [
      'with a kept checkpoint of another size',
      'consistency',
      'the kept checkpoint of 5 events is of another log than its proof',
      ({ consistency }) => {
        consistency[1].checkpoint = consistency[2].checkpoint;
      },
    ],
    [
      'with a kept checkpoint of another root',
      'consistency',
      'the kept checkpoint of 5 events is of another log than its proof',
      ({ consistency }) => {
        consistency[1].checkpoint = log.checkpoint(5, new Uint8Array(32));
      },
    ],
    [
      'with a kept checkpoint of another origin',
      'consistency',
      `the kept checkpoint of 5 events is of the log other.example, not of ${ORIGIN}`,
      ({ consistency }) => {
        consistency[1].checkpoint = log.checkpoint(5, new Uint8Array(32), 'other.example');
      },
    ],
    [
      'with a kept checkpoint that is none',
      'consistency',
      'the kept checkpoint of 5 events is not signed by a key that was given: a note must be text, an empty line and signature lines',
      ({ consistency }) => {
        consistency[1].checkpoint = 'x';
      },
    ],
    [
      'without the first fact of a cluster',
      'completeness',
      'cluster c1 goes on with revision 1, at position 8, where 0 is due',
      ({ clusters }) => {
        clusters[0].facts.shift();
      },
    ],
    [
      'with another total',
      'statement',
      'statement.total.clusterSeconds is "1.000"; by the facts it is "1468800.000"',
      ({ statement }) => {
        statement.total.clusterSeconds = '1.000';
      },
    ],
    [
      'that names a key which has not sealed it',
      'seal',
      'the seal is not signed by exactly the keys that the file names',
      (evidence) => {
        evidence.keys.push(signerOf('second.example', 2).verifier.toString());
      },
    ],
    [
      'that names something which is not a key',
      'seal',
      'the key "x" is none: the key is not an Ed25519 key of a signed note',
      (evidence) => {
        evidence.keys = ['x'];
      },
    ],
    [
      'that names a key twice',
      'seal',
      'the seal is not signed by exactly the keys that the file names',
      (evidence) => {
        evidence.keys.push(evidence.keys[0]);
      },
    ],
  ])('%s does not verify', (_, check, why, change) => {
    expect(verdictOn(changed(change))).toEqual({ ok: false, check, why });
  });

  test('does not verify without a key, or with one that has not signed the checkpoint', () => {
    expect(verdictOn(file, { keys: [] })).toEqual({
      ok: false,
      check: 'signature',
      why: 'no key was given to verify signatures with',
    });
    expect(verdictOn(file, { keys: [signerOf('second.example', 2).verifier.toString()] })).toEqual({
      ok: false,
      check: 'signature',
      why: 'the checkpoint of the file is not signed by a key that was given: none of the known keys has signed the note',
    });
  });
});

describe('a seal', () => {
  const other = signerOf('second.example', 2);
  const withSeal = (seal: string | ((text: string) => string)) =>
    verdictOn(changed(() => undefined, typeof seal === 'string' ? () => seal : seal));

  test('is not believed over another text', () => {
    expect(withSeal((text) => sign(text.replace('acme', 'globex')))).toEqual({
      ok: false,
      check: 'seal',
      why: 'the seal is that of another file: something was added, left out or changed',
    });
  });

  test('is not believed by a key that was not given, even if the file names that key', () => {
    const why = 'the seal is not signed by a key that was given: none of the known keys has signed the note';
    expect(withSeal((text) => signNote(text, [other]))).toEqual({ ok: false, check: 'seal', why });
    const named = changed(
      (evidence) => {
        evidence.keys = [other.verifier.toString()];
      },
      (text) => signNote(text, [other]),
    );
    expect(verdictOn(named)).toEqual({
      ok: false,
      check: 'seal',
      why: 'the seal is not signed by a key that was given',
    });
  });

  test('is not believed if a key signed that the file does not name', () => {
    expect(withSeal((text) => signNote(text, [signer, other]))).toEqual({
      ok: false,
      check: 'seal',
      why: 'the seal is not signed by exactly the keys that the file names',
    });
  });

  test('is not believed if it has a line twice', () => {
    const twice = (text: string) => {
      const note = sign(text);
      return note + note.slice(note.lastIndexOf('\n\n') + 2);
    };
    expect(withSeal(twice)).toMatchObject({ ok: false, check: 'seal' });
  });

  test('is not believed if the line of a key that the file names is invalid', () => {
    const invalid = changed(
      (evidence) => {
        evidence.keys.push(other.verifier.toString());
      },
      (text) => sign(text) + signNote('x\n', [other]).slice(3),
    );
    expect(verdictOn(invalid)).toEqual({
      ok: false,
      check: 'seal',
      why: 'the seal is not signed by a key that was given: the signature of second.example is not valid for this text',
    });
  });

  test('is not believed if its keys stand in another order than in the file', () => {
    const reversed = changed(
      (evidence) => {
        evidence.keys = [other, signer].map(({ verifier }) => verifier.toString());
      },
      (text) => signNote(text, [signer, other]),
    );
    expect(verdictOn(reversed)).toMatchObject({ ok: false, check: 'seal' });
  });
});
