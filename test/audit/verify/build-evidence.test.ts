import { hash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../src/audit/canonical-json.ts';
import { type EvidenceContents, evidencePieces } from '../../../src/audit/evidence/build-evidence.ts';
import { sealText } from '../../../src/audit/evidence/format.ts';
import { signNote } from '../../../src/audit/note.ts';
import { LeavesChanged } from '../../../src/audit/tree.ts';
import type { Parsed } from '../../support/evidence.ts';
import { contentsOf, keys, ORIGIN, SmallLog, STATEMENT, signer, smallLog, USAGE } from './small-log.ts';

let log: SmallLog;

beforeEach(() => {
  log = smallLog();
});

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const entry = (position: number) => ({
  index: position - 1,
  leaf: log.leaf(position - 1),
  proof: base64(log.tree.inclusionProof(position - 1, 8)),
});
const proofSince = (size: number, more: object = {}) => ({
  ...more,
  proof: base64(log.tree.consistencyProof(size, 8)),
  root: base64(log.tree.root(size)),
  size,
});

async function read(more: Partial<EvidenceContents> = {}): Promise<Parsed> {
  return JSON.parse((await log.evidence(contentsOf(log, more))).toString('utf8'));
}

describe('an evidence file', () => {
  test('has the events with their proofs, clusters in order, the figure, and a seal over all of that', async () => {
    const evidence = {
      accountId: 'acme',
      beginning: entry(1),
      checkpoint: log.checkpoint(),
      closings: [entry(5), entry(7)],
      clusters: [
        { clusterId: 'c1', facts: [entry(2), entry(8)] },
        { clusterId: 'c2', facts: [entry(3), entry(6)] },
      ],
      consistency: [
        proofSince(5, { checkpoint: log.checkpoint(5) }),
        proofSince(7, { checkpoint: log.checkpoint(7) }),
      ],
      format: 'cluster-ledger evidence v2',
      keys,
      origin: ORIGIN,
      period: '2026-02',
      statement: STATEMENT,
    };
    const digest = base64(hash('sha256', canonicalJson(evidence as never), 'buffer'));
    const seal = signNote(`cluster-ledger evidence v2\n${ORIGIN}\nacme\n2026-02\n${digest}\n`, [signer]);
    expect((await log.evidence(contentsOf(log))).toString('utf8')).toBe(
      `${canonicalJson({ evidence, seal } as never)}\n`,
    );
  });

  test('has no beginning if there is none, and a usage in the place of the statement', async () => {
    const { evidence } = await read({ beginning: undefined, figure: { usage: USAGE } });
    expect(Object.keys(evidence)).not.toContain('beginning');
    expect(Object.keys(evidence)).not.toContain('statement');
    expect(evidence.usage).toEqual(USAGE);
  });

  test('has a cluster of one fact, and a cluster of more facts than one piece of the file', async () => {
    log = new SmallLog();
    for (let i = 0; i < 300; i++) log.add('cluster-c1', 'ClusterReachable', { n: i });
    log.add('cluster-c2', 'ClusterReachable', {});
    const positions = Array.from({ length: 300 }, (_, i) => i + 1);
    const clusters = [
      { clusterId: 'c1', positions },
      { clusterId: 'c2', positions: [301] },
    ];
    const { evidence } = await read({ beginning: undefined, closings: [], clusters });
    expect(evidence.closings).toEqual([]);
    expect(evidence.clusters.map(({ facts }: Parsed) => facts.length)).toEqual([300, 1]);
    expect(evidence.clusters[0].facts.map(({ leaf }: Parsed) => leaf.data.n)).toEqual([...positions.keys()]);
  });

  test('reads one event of each closing and of the beginning, and makes the proofs in the order of the log', async () => {
    const streams: unknown[] = [];
    const indexes: number[] = [];
    const { log: source, store } = log;
    const recordingStore: typeof store = {
      ...store,
      readStream: (stream, options) => {
        streams.push([stream, options]);
        return store.readStream(stream, options);
      },
    };
    const tree: typeof source.tree = {
      ...source.tree,
      inclusionProof: (index, size) => {
        indexes.push(index);
        return source.tree.inclusionProof(index, size);
      },
    };
    for await (const _ of evidencePieces({ ...source, tree }, recordingStore, contentsOf(log)));
    expect(streams).toEqual([
      ['billing', { limit: 1 }],
      ['period-2026-01', { limit: 1 }],
      ['period-2026-02', { limit: 1 }],
      ['cluster-c1', { from: 0, limit: 2 }],
      ['cluster-c2', { from: 0, limit: 2 }],
    ]);
    expect(indexes).toEqual([0, 1, 2, 4, 5, 6, 7]);
  });

  test('reads 128 facts of a cluster at once', async () => {
    log = new SmallLog();
    for (let i = 0; i < 129; i++) log.add('cluster-c1', 'ClusterReachable', { n: i });
    const asked: unknown[] = [];
    const positions = Array.from({ length: 129 }, (_, i) => i + 1);
    const { store } = log;
    const recording: typeof store = {
      ...store,
      readStream: (stream, options) => {
        asked.push([stream, options]);
        return store.readStream(stream, options);
      },
    };
    const contents = { beginning: undefined, closings: [], clusters: [{ clusterId: 'c1', positions }] };
    for await (const _ of evidencePieces(log.log, recording, contentsOf(log, contents)));
    expect(asked).toEqual([
      ['cluster-c1', { from: 0, limit: 128 }],
      ['cluster-c1', { from: 128, limit: 1 }],
    ]);
  });
});

describe('the proofs of consistency', () => {
  const consistency = async (more: Partial<EvidenceContents> = {}) =>
    (await read(more)).evidence.consistency.map(({ size, checkpoint }: Parsed) => [
      size,
      ...(checkpoint === undefined ? [] : [checkpoint]),
    ]);

  test('have one since the size that was asked about, with the root of that size', async () => {
    expect((await read({ since: 3 })).evidence.consistency[0]).toEqual(proofSince(3));
    expect((await read({ since: 6 })).evidence.consistency[1]).toEqual(proofSince(6));
  });

  test('have that of the kept checkpoint if it is asked about too', async () => {
    expect(await consistency({ since: 5 })).toEqual([
      [5, log.checkpoint(5)],
      [7, log.checkpoint(7)],
    ]);
    expect(await consistency({ since: 8 })).toEqual([[5, log.checkpoint(5)], [7, log.checkpoint(7)], [8]]);
  });

  test('are since the first checkpoint that was kept at or after each closing, and no other', async () => {
    log.kept.splice(0);
    for (const size of [0, 4, 5, 6, 6]) log.sign(size);
    expect(await consistency()).toEqual([[5, log.checkpoint(5)]]);
    log.kept.splice(0);
    for (const size of [4, 6, 7]) log.sign(size);
    expect(await consistency()).toEqual([
      [6, log.checkpoint(6)],
      [7, log.checkpoint(7)],
    ]);
    log.kept.splice(0);
    for (const size of [4, 7]) log.sign(size);
    expect(await consistency()).toEqual([[7, log.checkpoint(7)]]);
  });

  test('are of smaller logs of the same origin only', async () => {
    log.kept.splice(0);
    log.sign(8);
    const other = {
      size: 5,
      root: log.tree.root(5),
      note: log.checkpoint(5, log.tree.root(5), 'other.example'),
    };
    log.kept.push(other);
    expect(await consistency()).toEqual([]);
    expect(await consistency({ closings: [] })).toEqual([]);
  });

  test('have the root that was signed, although the tree has another', async () => {
    log.kept[0] = { ...(log.kept[0] as (typeof log.kept)[0]), root: new Uint8Array(32) };
    expect((await read()).evidence.consistency[0].root).toBe(base64(new Uint8Array(32)));
  });
});

describe('an event that is not what was signed', () => {
  test.each<[what: string, position: number, change: () => void]>([
    ['a changed fact', 6, () => Object.assign(log.events[5] as object, { metadata: {} })],
    ['a changed closing', 7, () => Object.assign(log.events[6] as object, { metadata: {} })],
    ['a changed beginning', 1, () => Object.assign(log.events[0] as object, { metadata: {} })],
    ['a fact that is gone', 8, () => void log.events.pop()],
  ])('ends the file and is reported: %s', async (_, position, change) => {
    const contents = contentsOf(log);
    change();
    const why = `the event at position ${position} is not what it was`;
    await expect(log.evidence(contents)).rejects.toThrow(new LeavesChanged(why));
    expect(log.changes).toEqual([why]);
  });

  test('is not what any other error means', async () => {
    const contents = contentsOf(log);
    const store = {
      ...log.store,
      readStream: () => {
        throw new Error('not foreseen');
      },
    };
    const build = async () => {
      for await (const _ of evidencePieces(log.log, store, contents));
    };
    await expect(build()).rejects.toThrow('not foreseen');
    expect(log.changes).toEqual([]);
  });
});

describe('building a file', () => {
  /** Holds the event loop for longer than long work may. */
  const hold = () => {
    const until = performance.now() + 3;
    while (performance.now() < until);
  };
  const build = async (signal: AbortSignal, slow: 'tree' | 'store') => {
    const { log: source, store } = log;
    const { tree } = source;
    const slowTree: typeof tree = {
      ...tree,
      inclusionProof: async (...asked) => {
        if (slow === 'tree') hold();
        return tree.inclusionProof(...asked);
      },
    };
    const slowStore: typeof store = {
      ...store,
      readStream: (...asked) => {
        if (slow === 'store') hold();
        return store.readStream(...asked);
      },
    };
    let text = '';
    for await (const piece of evidencePieces(
      { ...source, tree: slowTree },
      slowStore,
      contentsOf(log),
      signal,
    ))
      text += piece;
    return text;
  };

  test('is given up when that is wanted, while proofs are made and while events are read', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(build(aborted, 'tree')).rejects.toThrow('enough');
    await expect(build(aborted, 'store')).rejects.toThrow('enough');
  });

  test('lets other work run, and then goes on', async () => {
    const { signal } = new AbortController();
    expect(await build(signal, 'tree')).toBe((await log.evidence(contentsOf(log))).toString('utf8'));
  });
});

test('the text of a seal has the format, the origin, the account, the period and the digest, each in a line', () => {
  expect(sealText('o', 'a', '2026-01', Uint8Array.of(1, 2, 3))).toBe(
    'cluster-ledger evidence v2\no\na\n2026-01\nAQID\n',
  );
});
