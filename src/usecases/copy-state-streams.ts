import type { EventStore, RecordedEvent } from '../eventstore/event-store.ts';
import { VersionConflict } from '../eventstore/store-errors.ts';

/** The stores are not what the copy needs. Nothing of the source was changed. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused';
}

/** Streams that belong to one store, or to a process that runs on it. */
const OF_ONE_STORE = /^~(log-index|log-gaps|claim-.*)$/;
/** Stream with the id of the ledger. */
const LEDGER = '~ledger';
/** Streams of which only the newest events count, so that older ones may be forgotten. */
const NEWEST_COUNTS = /^~(consumer-.*|key-uses)$/;
/** Maximum number of events in one append, and their maximum size in characters, unless it is one event. */
const GROUP_EVENTS = 200;
const GROUP_CHARACTERS = 250_000;

/**
 * Copies the state streams, except those that belong to one store. Those that the target has are continued.
 * @throws CopyRefused if the target is another ledger, or was used since. @throws StoreUnavailable, StoreFull, StoreFailed
 */
export async function copyStateStreams(from: EventStore, to: EventStore): Promise<void> {
  const [names, present] = [await from.stateStreams(), new Set(await to.stateStreams())];
  // The id of the ledger first, so that a target of another ledger is refused before anything is written.
  const wanted = names.filter((name) => !OF_ONE_STORE.test(name));
  wanted.sort((a, b) => Number(b === LEDGER) - Number(a === LEDGER));
  if (!wanted.includes(LEDGER) && present.has(LEDGER))
    throw new CopyRefused('the target holds another ledger: copy into an empty store or namespace');
  for (const name of wanted) await copyStream(from, to, name);
}

async function copyStream(from: EventStore, to: EventStore, name: string): Promise<void> {
  const [source, target] = [await eventsOf(from, name), await eventsOf(to, name)];
  const missing = missingIn(target, source, name);
  let revision = target.at(-1)?.revision;
  for (const events of grouped(missing)) {
    try {
      revision = await to.append(name, events, revision ?? 'absent');
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      throw new CopyRefused(`somebody else writes to the target: ${error.message}`);
    }
  }
}

function* grouped(events: readonly RecordedEvent[]): Generator<readonly RecordedEvent[]> {
  let group: RecordedEvent[] = [];
  let characters = 0;
  for (const event of events) {
    const { length } = JSON.stringify([event.data, event.metadata]);
    if (group.length > 0 && (group.length >= GROUP_EVENTS || characters + length > GROUP_CHARACTERS)) {
      yield group;
      [group, characters] = [[], 0];
    }
    group.push(event);
    characters += length;
  }
  if (group.length > 0) yield group;
}

/** Returns the events that the target lacks. @throws CopyRefused */
function missingIn(
  target: readonly RecordedEvent[],
  source: readonly RecordedEvent[],
  name: string,
): readonly RecordedEvent[] {
  const last = target.at(-1)?.id;
  if (last === undefined) return source;
  const at = source.findIndex(({ id }) => id === last);
  if (at !== -1) return source.slice(at + 1);
  if (NEWEST_COUNTS.test(name)) return source;
  throw new CopyRefused(
    name === LEDGER
      ? 'the target holds another ledger: copy into an empty store or namespace'
      : `a ledger has used the target since the copy began (${name}): copy into an empty store or namespace`,
  );
}

async function eventsOf(store: EventStore, name: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.readStream(name)) events.push(event);
  return events;
}
