import { expect, onTestFinished, test } from 'vitest';
import { LogIndex, MARK_EVERY } from '../../src/eventstore/esdb/log-index.ts';
import { StoreUnavailable } from '../../src/eventstore/store-errors.ts';
import { until } from '../support/until.ts';

test('a mark of the log index that the busy store does not take at once is not named in the log if it is stored soon', async () => {
  let attempts = 0;
  const store = {
    append: async () => {
      attempts++;
      if (attempts === 1) throw new StoreUnavailable('the append was not acknowledged within 3000 ms');
      return 0;
    },
    async *readStream() {},
  };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const warnings: unknown[] = [];
  const index = new LogIndex(store, { signal: stop.signal, onFailed: (error) => warnings.push(error) });
  for (let number = 1; number <= MARK_EVERY; number++)
    index.note(number, { commit: BigInt(number), prepare: BigInt(number) });
  await until(() => attempts === 2);
  expect(warnings).toEqual([]);
});
