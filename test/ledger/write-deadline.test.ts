import { afterEach, expect, test, vi } from 'vitest';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { WrappedStore } from '../../src/eventstore/wrapped-store.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { OutcomeUnknown } from '../../src/ledger/ledger-errors.ts';
import { sqliteStoreForTest } from '../support/sqlite-store.ts';
import { NOW, registration, submissionOf } from './facts.ts';

const caller = { mayBackdate: true, mayTransfer: true };

/** Never acknowledges an append. */
class SilentStore extends WrappedStore {
  override append(): Promise<number> {
    return new Promise(() => undefined);
  }
}

/** Rejects every append as an unreachable store does. */
class UnreachableStore extends WrappedStore {
  override append(): Promise<number> {
    return Promise.reject(new StoreUnavailable('no connection'));
  }
}

afterEach(() => void vi.useRealTimers());

test.each([
  ['never acknowledges', SilentStore],
  ['stays unreachable', UnreachableStore],
])(
  'a write to a store that %s is answered with an unknown outcome before 10 seconds have passed',
  async (_, Store) => {
    const ledger = new Ledger(new Store(await sqliteStoreForTest()), {
      now: () => NOW,
      recordingTime: () => NOW,
      backdatingMs: 0,
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    let error: unknown;
    void ledger.record([submissionOf(registration('c1'), 'e1')], caller).catch((thrown: unknown) => {
      error = thrown;
    });
    await vi.advanceTimersByTimeAsync(8_000);
    expect(error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(error).toBeInstanceOf(OutcomeUnknown);
  },
);
