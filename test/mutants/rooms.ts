/** A part of the code that is mutated together, and the tests that must notice each change of it. */
export interface Room {
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
  /** The files run in a worker thread, which does not report the mutants that it reaches: all tests run for each of them. */
  readonly isThread?: boolean;
}

/** The files that follow a log and sign it. */
const FOLLOWING = [
  'src/audit/checkpoint-{file,signer,store}.ts',
  'src/audit/leaf-hash-worker-client.ts',
  'src/audit/log-tree.ts',
  'src/audit/signed-log*.ts',
];

const WORKER = 'src/audit/leaf-hash-worker.ts';

/** Tests of a room are those of the same folder, and few others: each of them runs for hundreds of mutants. */
export const ROOMS: Readonly<Record<string, Room>> = {
  'domain/facts': {
    mutate: ['src/domain/facts/*.ts'],
    tests: ['test/domain/facts/**/*.test.ts', 'test/ledger/fact-event.property.test.ts'],
  },
  'domain/billing': {
    mutate: ['src/domain/billing/*.ts'],
    tests: [
      'test/domain/billing/**/*.test.ts',
      'test/projections/model/bill-history.test.ts',
      'test/projections/queries/{explain-usage,group-usage,period-statements}.property.test.ts',
    ],
  },
  'domain/kubefirst': {
    mutate: ['src/domain/kubefirst/*.ts'],
    tests: ['test/domain/kubefirst/**/*.test.ts'],
  },
  'domain/validation': {
    mutate: ['src/domain/validation/**/*.ts'],
    // The other tests play days of runs of a fleet: too long for each of two thousand mutants.
    tests: [
      'test/domain/validation/judging/{assess-outage,cluster-state,conclude,judge-run,play-runs,policy}.test.ts',
      'test/domain/validation/judging/{probe-history,raise-conditions,verdict}.test.ts',
      'test/domain/validation/records/{active-run,probe-history-json,read-run-record,run-fold}.test.ts',
      'test/domain/validation/records/{run-summary,shard,write-run}.test.ts',
    ],
  },
  'domain/others': {
    mutate: ['src/domain/*.ts', 'src/domain/access/*.ts'],
    tests: ['test/domain/*.test.ts', 'test/domain/access/*.test.ts', 'test/projections/alerts/**/*.test.ts'],
  },
  'audit/proofs': {
    mutate: ['src/audit/*.ts', ...[WORKER, ...FOLLOWING].map((file) => `!${file}`)],
    tests: [
      'test/audit/{canonical-text,errors,hash-column,key-location,leaf,leaf-digest,ledger-id,log-identity,log-keys}.test.ts',
      'test/audit/{note,tiles,tree,verify-proof}.test.ts',
    ],
  },
  'audit/log': {
    mutate: FOLLOWING,
    tests: [
      'test/audit/{checkpoint-file,checkpoint-signer,checkpoint-store,leaf-hash-worker-client,log-tree}.test.ts',
    ],
  },
  'audit/thread': {
    mutate: [WORKER],
    tests: ['test/audit/leaf-hash-worker.test.ts'],
    isThread: true,
  },
  'audit/verify': {
    mutate: ['src/audit/verify/*.ts', 'src/audit/evidence/*.ts'],
    // The others open ledgers or take long.
    tests: [
      'test/audit/verify/!(begun-platform|book-speed|evidence-limits|mutations|tile-levels|verify-evidence|verify-store|verify-url).test.ts',
    ],
  },
  'audit/witness': {
    mutate: ['src/audit/witness/*.ts'],
    tests: ['test/audit/witness/{add-checkpoint,cosignature,cosignature-store,posting}.test.ts'],
  },
};
