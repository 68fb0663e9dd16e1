import { formatCheckpoint } from '../../../src/audit/checkpoint-text.ts';
import {
  type EvidenceContents,
  type EvidenceLog,
  evidencePieces,
} from '../../../src/audit/evidence/build-evidence.ts';
import { leafHash, leafText } from '../../../src/audit/leaf.ts';
import { signNote } from '../../../src/audit/note.ts';
import { NoteSigner } from '../../../src/audit/note-key.ts';
import { encodeBundle, tilePath } from '../../../src/audit/tiles.ts';
import { MerkleTree } from '../../../src/audit/tree.ts';
import type { Leaf } from '../../../src/audit/verify/billing-fact.ts';
import type { EventStore, LogEvent, NewEvent, RecordedEvent } from '../../../src/eventstore/event-store.ts';

/** The same key in every run. */
export const signerOf = (name: string, seed: number) => new NoteSigner(name, new Uint8Array(32).fill(seed));

export const ORIGIN = 'ledger.example/log';
export const signer = signerOf('ledger.example', 1);
export const keys = [signer.verifier.toString()];
export const idAt = (position: number) => `00000000-0000-4000-8000-${String(position).padStart(12, '0')}`;

type Data = NewEvent['data'];

/** A log of events in memory, with its tree and its checkpoints, as a ledger would sign and publish it. */
export class SmallLog {
  readonly events: LogEvent[] = [];
  readonly tree = new MerkleTree();
  /** Checkpoints in the order in which they were signed, by their notes. */
  readonly kept: { readonly note: string; readonly size: number; readonly root: Uint8Array }[] = [];
  readonly changes: string[] = [];

  add(stream: string, type: string, data: Data, more: Partial<LogEvent> = {}): this {
    const position = this.events.length + 1;
    const event: LogEvent = {
      id: idAt(position),
      type,
      data,
      metadata: { actor: 'test' },
      recordedAt: Date.parse('2026-01-01') + position,
      stream,
      revision: this.events.filter((each) => each.stream === stream).length,
      position,
      ...more,
    };
    this.events.push(event);
    this.tree.append(leafHash(leafText(event)));
    return this;
  }

  /** Signs a checkpoint of the first events, by default of all, and keeps it. */
  sign(size = this.events.length): this {
    this.kept.push({ note: this.checkpoint(size), size, root: this.tree.root(size) });
    return this;
  }

  checkpoint(size = this.events.length, root = this.tree.root(size), origin = ORIGIN): string {
    return signNote(formatCheckpoint({ origin, size, root }), [signer]);
  }

  get log(): EvidenceLog {
    const { tree, kept, changes } = this;
    return {
      origin: ORIGIN,
      tree: {
        inclusionProof: async (index, size) => tree.inclusionProof(index, size),
        consistencyProof: async (from, to) => tree.consistencyProof(from, to),
        sizeAndRoot: async (size = tree.size) => ({ size, root: tree.root(size) }),
      },
      verifiers: () => [signer.verifier],
      sign: (text) => signNote(text, [signer]),
      reportChange: ({ message }) => void changes.push(message),
      async *kept() {
        yield* kept;
      },
    };
  }

  get store(): Pick<EventStore, 'readAll' | 'readStream' | 'head'> {
    const { events, kept } = this;
    const checkpoints = kept.map(
      ({ note }, revision) =>
        ({
          ...(events[0] as LogEvent),
          stream: '~log-checkpoints',
          revision,
          data: { note },
        }) as RecordedEvent,
    );
    return {
      head: async () => events.length,
      async *readAll() {
        for (let from = 0; from < events.length; from += 3) yield events.slice(from, from + 3);
      },
      async *readStream(stream, { from = 0, limit = Number.POSITIVE_INFINITY } = {}) {
        yield* [...events, ...checkpoints].filter((each) => each.stream === stream).slice(from, from + limit);
      },
    };
  }

  /** The bytes of the evidence file with these contents. */
  async evidence(contents: EvidenceContents): Promise<Buffer> {
    let text = '';
    for await (const piece of evidencePieces(this.log, this.store, contents)) text += piece;
    return Buffer.from(text);
  }

  /** The published files of a log of at most 256 events, by their paths. */
  get published(): Map<string, string | Uint8Array> {
    const width = this.events.length;
    const leaves = this.events.map((event) => Buffer.from(leafText(event)));
    return new Map<string, string | Uint8Array>([
      ['/log/checkpoint', this.checkpoint()],
      [tilePath({ level: 0, index: 0, width }), this.tree.tile(0, 0, width)],
      [tilePath({ level: 'entries', index: 0, width }), encodeBundle(leaves)],
    ]);
  }

  leaf(index: number): Leaf {
    return JSON.parse(leafText(this.events[index] as LogEvent));
  }
}

const fact = (clusterId: string, effectiveAt: string, more: Data = {}): Data => ({
  clusterId,
  effectiveAt: `${effectiveAt}T00:00:00.000Z`,
  ...more,
});

/** Each closing as the ledger records it. */
export const CLOSINGS = {
  '2026-01': {
    accounts: 2,
    totals: { billableClusters: 3, clusterSeconds: '7171200.000' },
    statementsDigest: '6095ed761d029da866de88d75b0482caf0d624b6b457eaea35c5d540e4d19a62',
  },
  '2026-02': {
    accounts: 2,
    totals: { billableClusters: 2, clusterSeconds: '3888000.000' },
    statementsDigest: '9079c21bf3efdf996c1e941cfecc7cbf1bf6b43e91cb98f8cf5c9a87285b8c23',
  },
} as const;

const closed = (period: keyof typeof CLOSINGS, watermark: number): Data => ({
  period,
  watermark: String(watermark),
  rules: 2,
  ...CLOSINGS[period],
});

/**
 * Two months of two accounts: `acme` has c1 and, from 11 to 21 January, c2, whose deletion is late; `globex` has g1. Of the 8
 * events, those of acme are at 2, 3, 6 and 8, and the closings at 5 and 7.
 */
export function smallLog(): SmallLog {
  return new SmallLog()
    .add('billing', 'BillingBegan', { period: '2026-01', reason: 'a test' })
    .add('cluster-c1', 'ClusterRegistered.v2', fact('c1', '2026-01-01', { accountId: 'acme', name: 'süd' }))
    .add('cluster-c2', 'ClusterRegistered.v2', fact('c2', '2026-01-11', { accountId: 'acme', name: 'two' }))
    .add(
      'cluster-g1',
      'ClusterRegistered.v2',
      fact('g1', '2026-01-01', { accountId: 'globex', name: 'three' }),
    )
    .add('period-2026-01', 'PeriodClosed', closed('2026-01', 4))
    .sign()
    .add('cluster-c2', 'ClusterDeleted', fact('c2', '2026-01-21'))
    .add('period-2026-02', 'PeriodClosed', closed('2026-02', 6))
    .sign()
    .add('cluster-c1', 'BillingStopped', fact('c1', '2026-03-03', { cause: 'manual' }))
    .sign();
}

const ofFebruary = {
  billableClusters: 1,
  clusterSeconds: '2419200.000',
  peakClusters: 1,
  clustersAtStart: 1,
  clustersAtEnd: 1,
  averageClusters: '1.000000',
};
const change = {
  before: {
    billableClusters: 2,
    clusterSeconds: '4492800.000',
    peakClusters: 2,
    clustersAtStart: 1,
    clustersAtEnd: 2,
    averageClusters: '1.677419',
  },
  after: {
    billableClusters: 2,
    clusterSeconds: '3542400.000',
    peakClusters: 2,
    clustersAtStart: 1,
    clustersAtEnd: 1,
    averageClusters: '1.322581',
  },
  delta: { billableClusters: 0, clusterSeconds: '-950400.000' },
};
const total = { billableClusters: 1, clusterSeconds: '1468800.000' };

/** The statement of acme for February, which adjusts January by the late deletion of c2. */
export const STATEMENT = {
  statementId: 'st_ap3irant2sxpdd4cdvnnlvp6d7',
  accountId: 'acme',
  period: '2026-02',
  watermark: '6',
  closedAt: '2026-01-01T00:00:00.007Z',
  usage: ofFebruary,
  byType: [{ ...ofFebruary, clusterType: null }],
  adjustments: [
    { period: '2026-01', ...change, byType: [{ ...change, clusterType: null }], facts: [idAt(6)] },
  ],
  total: { ...total, byType: [{ ...total, clusterType: null }] },
};

/** The usage of acme in March up to the fifth, when c1 was billed for two days. */
export const USAGE = (() => {
  const usage = {
    billableClusters: 1,
    clusterSeconds: '172800.000',
    peakClusters: 1,
    clustersAtStart: 1,
    clustersAtEnd: 0,
    averageClusters: '0.500000',
  };
  return {
    accountId: 'acme',
    period: '2026-03',
    window: { from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z' },
    through: '2026-03-05T00:00:00.000Z',
    asOf: '8',
    position: '8',
    usage,
    byType: [{ ...usage, clusterType: null }],
  };
})();

/** The contents of the evidence of acme: by default for February, with its statement. */
export function contentsOf(log: SmallLog, more: Partial<EvidenceContents> = {}): EvidenceContents {
  const size = log.events.length;
  return {
    accountId: 'acme',
    period: '2026-02',
    figure: { statement: STATEMENT },
    checkpoint: { note: log.checkpoint(size), size, root: log.tree.root(size) },
    beginning: 1,
    clusters: [
      { clusterId: 'c2', positions: [3, 6] },
      { clusterId: 'c1', positions: [2, 8] },
    ],
    closings: [
      { period: '2026-01', position: 5 },
      { period: '2026-02', position: 7 },
    ],
    ...more,
  };
}
