import type { NewKeyOut } from '../../api/keys.ts';
import { keyState, type NewKey } from '../../domain/access/access-key.ts';
import { formatInstant } from '../../domain/time.ts';
import type { EventStore } from '../../eventstore/event-store.ts';
import { AccessKeys } from '../../ledger/access-keys.ts';
import { CliError, EXIT } from '../terminal/cli-error.ts';
import { withNewStore } from './open-store.ts';
import type { Target } from './target.ts';

/** The actor of a key that is created in a store. */
const ACTOR = 'store';

/**
 * Creates a key in a store that no ledger uses. The store is created if it does not exist.
 * @throws CliError if the store cannot be opened, or the key is not allowed.
 */
export async function createKeyIn(
  { store, namespace }: Extract<Target, { kind: 'store' }>,
  key: NewKey,
): Promise<NewKeyOut> {
  return withNewStore(store, namespace, async (opened) => {
    const newest = await newestRecordedAt(opened);
    const keys = new AccessKeys(opened, {
      now: Date.now,
      // The time of an event is never before that of the one before it.
      recordingTime: () => Math.max(Date.now(), newest),
      monotonic: () => performance.now(),
      hasOtherOperators: false,
    });
    const created = await keys.create(key, ACTOR);
    if (created.outcome === 'rejected')
      throw new CliError(EXIT.failed, 'the first key must be one of an operator: pass --role operator');
    const { id, createdAt, createdBy, expiresAt, name, role, accountId } = created.key;
    return {
      id,
      name,
      role,
      ...(accountId !== undefined && { accountId }),
      state: keyState(created.key, Date.now()),
      createdAt: formatInstant(createdAt),
      createdBy,
      expiresAt: formatInstant(expiresAt),
      lastUsedAt: null,
      key: created.text,
    };
  });
}

/** Returns the time of the last event of an embedded store. The end of a log on EventStoreDB is known only after reading all of it. */
async function newestRecordedAt(store: EventStore): Promise<number> {
  if (!store.isSoleWriter) return 0;
  const head = await store.head();
  let newest = 0;
  if (head > 0)
    for await (const events of store.readAll(head - 1))
      for (const { recordedAt } of events) newest = recordedAt;
  return newest;
}
