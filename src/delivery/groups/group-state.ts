import { randomUUID } from 'node:crypto';
import { CONSUMER_SAVED, consumerStream } from '../../domain/stream-table.ts';
import type { Instant } from '../../domain/time.ts';
import type { EventStore, Expected } from '../../eventstore/event-store.ts';
import type { JsonObject } from '../../eventstore/json.ts';
import { VersionConflict } from '../../eventstore/store-errors.ts';
import type { Position, Revision } from '../../util/log-numbers.ts';

/** A message that was tried at least once. */
export interface TriedMessage {
  readonly position: Position;
  readonly attempts: number;
  readonly dueAt: Instant;
  readonly failedAt: Instant;
}

/** A message that is not tried again until somebody asks for it. */
export interface ParkedMessage {
  readonly position: Position;
  readonly attempts: number;
  readonly parkedAt: Instant;
  readonly error: string;
}

/** One attempt to deliver a message, for people who look for the cause of a failure. */
export interface DeliveryAttempt {
  readonly position: Position;
  /** Id of the event. */
  readonly eventId: string;
  /** The `type` attribute of the CloudEvent. */
  readonly type: string;
  readonly subject: string;
  readonly at: Instant;
  readonly durationMs: number;
  readonly outcome: 'delivered' | 'failed' | 'parked';
  /** HTTP status of the answer; absent if there was none. */
  readonly status?: number;
  readonly error?: string;
}

/** State of a consumer group, as it is stored. */
export interface GroupState {
  /** Position up to which the log has been read. Every message up to it is acknowledged, outstanding or parked. */
  readonly checkpoint: Position;
  /** Positions of messages that were read and not tried yet. */
  readonly waiting: readonly Position[];
  readonly tried: readonly TriedMessage[];
  readonly parked: readonly ParkedMessage[];
  readonly failingSince?: Instant;
  readonly lastSuccessAt?: Instant;
  /** Revision of the last command that was carried out. */
  readonly commandsThrough: Revision;
  /** The latest attempts, oldest first. */
  readonly attempts: readonly DeliveryAttempt[];
}

/** Another process has taken over the group. */
export class GroupTaken extends Error {
  override readonly name = 'GroupTaken';
}

/**
 * Stores the state of one consumer group in its state stream. The expected revision keeps two processes from storing states
 * in turn: the one that was replaced gets `GroupTaken`.
 */
export class GroupStateFile {
  readonly #store: EventStore;
  readonly #stream: string;
  #revision: Expected = 'absent';

  constructor(store: EventStore, name: string) {
    this.#store = store;
    this.#stream = consumerStream(name);
  }

  /** Reads the last state. @returns `undefined` if none was stored. @throws StoreUnavailable */
  async read(): Promise<GroupState | undefined> {
    for await (const event of this.#store.readStream(this.#stream, { direction: 'backwards', limit: 1 })) {
      this.#revision = event.revision;
      return decode(event.data as unknown as StoredState);
    }
    return undefined;
  }

  /** Stores a state. @throws GroupTaken if another process has stored one since. @throws StoreUnavailable, StoreFull, StoreFailed */
  async write(state: GroupState, now: Instant): Promise<void> {
    const event = {
      id: randomUUID(),
      type: CONSUMER_SAVED,
      data: encode(state) as unknown as JsonObject,
      metadata: {},
      recordedAt: now,
    };
    try {
      this.#revision = await this.#store.append(this.#stream, [event], this.#revision);
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error;
      throw new GroupTaken(`another process has taken over ${this.#stream}`, { cause: error });
    }
    await this.#store.keepLast(this.#stream, 1);
  }
}

/** Most errors repeat. Numbers instead of members keep the state of 10,000 messages below the size limit of an event. */
interface StoredState extends Omit<GroupState, 'tried' | 'parked'> {
  readonly errors: readonly string[];
  readonly tried: readonly (readonly [
    position: Position,
    attempts: number,
    dueAt: Instant,
    failedAt: Instant,
  ])[];
  readonly parked: readonly (readonly [
    position: Position,
    attempts: number,
    parkedAt: Instant,
    error: number,
  ])[];
}

const MAX_ERROR_CHARS = 200;
/** Number of different errors that are kept. Further ones are stored as the last of these. */
const MAX_ERRORS = 200;

function encode(state: GroupState): StoredState {
  const errors = new Map<string, number>();
  const indexOf = (error: string) => {
    const text = error.slice(0, MAX_ERROR_CHARS);
    if (!errors.has(text) && errors.size < MAX_ERRORS) errors.set(text, errors.size);
    return errors.get(text) ?? MAX_ERRORS - 1;
  };
  const tried = state.tried.map(
    ({ position, attempts, dueAt, failedAt }) => [position, attempts, dueAt, failedAt] as const,
  );
  const parked = state.parked.map(
    ({ position, attempts, parkedAt, error }) => [position, attempts, parkedAt, indexOf(error)] as const,
  );
  return { ...state, tried, parked, errors: [...errors.keys()] };
}

function decode({ errors, tried, parked, ...state }: StoredState): GroupState {
  const error = (index: number) => errors[index] ?? '';
  return {
    ...state,
    tried: tried.map(([position, attempts, dueAt, failedAt]) => ({ position, attempts, dueAt, failedAt })),
    parked: parked.map(([position, attempts, parkedAt, index]) => ({
      position,
      attempts,
      parkedAt,
      error: error(index),
    })),
  };
}
