import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  accountOfStream,
  accountStream,
  claimStream,
  clusterOfStream,
  clusterStream,
  consumerStream,
  isStateStream,
  periodOfStream,
  periodStream,
  runOfStream,
  runStream,
  STREAMS,
  statementDigestsStream,
} from '../../src/domain/stream-table.ts';

test.each([
  [clusterStream('x'), 'cluster-x'],
  [periodStream('2026-01'), 'period-2026-01'],
  [accountStream('x'), 'account-x'],
  [runStream('x'), 'validation-x'],
  [consumerStream('x'), '~consumer-x'],
  [claimStream('x'), '~claim-x'],
  [statementDigestsStream('2026-01'), '~statement-digests-2026-01'],
])('the stream %s is named %s', (stream, name) => {
  expect(stream).toBe(name);
});

describe('what a stream is of', () => {
  test.each([
    [clusterOfStream, 'cluster-'],
    [periodOfStream, 'period-'],
    [accountOfStream, 'account-'],
    [runOfStream, 'validation-'],
  ])('is the rest of its name: %o with %s', (read, prefix) => {
    expect(read(`${prefix}a-b`)).toBe('a-b');
    expect(read(prefix)).toBe('');
    expect(read(`x${prefix}a`)).toBeUndefined();
    expect(read('billing')).toBeUndefined();
  });
});

test.each([
  ['~ledger', true],
  ['ledger~', false],
  ['', false],
])('the stream %o holds state: %s', (stream, isState) => {
  expect(isStateStream(stream)).toBe(isState);
});

/** The names and the types are recorded in every log, so they can never change. */
test('every stream has the name and the types that logs have', () => {
  expect(Object.values(STREAMS).map(({ name, types }) => [name, types])).toEqual([
    ['cluster-*', 'every fact type'],
    ['period-*', ['PeriodClosed']],
    ['account-*', ['AccountDescribed']],
    ['billing', ['BillingBegan']],
    [
      'validation-*',
      [
        'ValidationStarted',
        'ValidationProgressed',
        'ValidationRecorded',
        'ValidationJudged',
        'ValidationCompleted',
      ],
    ],
    ['rejected-events', ['EventRejected']],
    ['warnings', ['EventIdShared']],
    ['alerts', ['AlertAcknowledged']],
    ['alert-notices', ['AlertRaised', 'AlertUpdated', 'AlertResolved']],
    ['validator-decisions', ['OutageDecided']],
    ['clock', ['ClockDoubted', 'ClockTrusted']],
    ['losses', ['LossAccepted']],
    [
      'webhooks',
      [
        'WebhookCreated',
        'WebhookChanged',
        'WebhookSecretRotated',
        'WebhookDisabled',
        'WebhookEnabled',
        'WebhookDeleted',
        'DeliveriesRequested',
      ],
    ],
    ['~consumer-*', ['ConsumerSaved']],
    ['~claim-*', ['Claimed']],
    ['access', ['KeyCreated', 'KeyRevoked']],
    ['~key-uses', ['KeysUsed']],
    ['~statement-digests-*', ['StatementDigestsKept']],
    ['~first-period', ['FirstPeriodChosen']],
    ['~ledger-starts', ['LedgerStarted']],
    ['~ledger', ['LedgerCreated']],
    ['~log-checkpoints', ['CheckpointSigned']],
    ['~log-cosignatures', ['CheckpointCosigned']],
    ['~log-index', ['LogIndexed']],
    ['~log-gaps', ['LogGapFound']],
  ]);
});

test('docs/ARCHITECTURE.md lists exactly the streams that the domain names', () => {
  const page = readFileSync(new URL('../../docs/ARCHITECTURE.md', import.meta.url), 'utf8');
  const [section = ''] = page.split('\n## Streams\n')[1]?.split('\n## ') ?? [];
  const rows = [...section.matchAll(/^\| `(.+?)` *\| (.+?) *\| (.+?) *\| `(.+?)` *\|$/gm)].map(
    ([, name, holds, types, writer]) => ({ name, holds, types, writer }),
  );
  expect(rows).toEqual(
    Object.values(STREAMS).map(({ types, ...stream }) => ({
      ...stream,
      types: typeof types === 'string' ? types : types.map((type) => `\`${type}\``).join(', '),
    })),
  );
});
