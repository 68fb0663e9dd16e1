import { randomUUID } from 'node:crypto';
import { RecentIds } from './recent-ids.ts';
import {
  type ExpectedRevision,
  HIGHEST_REVISION,
  isMetastream,
  type LogEvent,
  METADATA_TYPE,
  metastreamOf,
  NO_REVISION,
  originalOf,
  type ProposedEvent,
  TOMBSTONE_TYPE,
  type WriteOutcome,
  type WriteResult,
} from './records.ts';
import { readMetadata, SOFT_DELETED_DOCUMENT, type StreamMetadata, undeleted } from './stream-metadata.ts';
import { type CheckedLog, checkWrite } from './write-check.ts';

type Listener = (event: LogEvent) => void;

const NOTHING = new Uint8Array();

/** Size of a record without its texts and bytes. */
const RECORD_OVERHEAD = 90;

/** Size of the epoch record that a node writes when it starts. */
const EPOCH_RECORD = 120n;

/** The log of one node, kept in memory: every write goes through here, in one order, and a restart does not harm it. */
export class EventLog implements CheckedLog {
  readonly recentIds = new RecentIds();
  readonly #all: LogEvent[] = [];
  readonly #streams = new Map<string, LogEvent[]>();
  readonly #tombstoned = new Set<string>();
  /** Start positions of the records that hold no event. */
  readonly #bare = new Set<bigint>();
  readonly #listeners = new Set<Listener>();
  #end = 0n;

  constructor() {
    this.startEpoch();
    this.#writeDocument('$$$scavenges', Buffer.from('{"$maxAge":2592000,"$acl":{"$r":"$ops"}}'));
  }

  /** All events in commit order, those of the node itself included. */
  get all(): readonly LogEvent[] {
    return this.#all;
  }

  /** Start position of the next record. */
  get end(): bigint {
    return this.#end;
  }

  /** Whether a record without an event starts there. */
  isBareRecord(position: bigint): boolean {
    return this.#bare.has(position);
  }

  /** The events of a stream from revision 0, hidden and deleted ones included. */
  eventsOf(stream: string): readonly LogEvent[] {
    return this.#streams.get(stream) ?? [];
  }

  lastRevision(stream: string): bigint {
    return this.eventsOf(stream).at(-1)?.revision ?? NO_REVISION;
  }

  /** A metadata stream is tombstoned with its stream. */
  isTombstoned(stream: string): boolean {
    return this.#tombstoned.has(isMetastream(stream) ? originalOf(stream) : stream);
  }

  isSoftDeleted(stream: string): boolean {
    return this.metadataOf(stream).truncateBefore === null;
  }

  idAt(stream: string, revision: bigint): string | undefined {
    return this.eventsOf(stream)[Number(revision)]?.id;
  }

  metadataOf(stream: string): StreamMetadata {
    return readMetadata(stream, this.eventsOf(metastreamOf(stream)).at(-1));
  }

  /** The lowest revision that a reader may see; `null` if the stream is deleted. */
  firstVisible(stream: string): bigint | null {
    const { truncateBefore, maxCount } = this.metadataOf(stream);
    if (truncateBefore === null || this.isTombstoned(stream)) return null;
    const byCount = maxCount === undefined ? 0n : this.lastRevision(stream) - maxCount + 1n;
    return byCount > truncateBefore ? byCount : truncateBefore;
  }

  /** Writes all of `events` or none. */
  append(stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision): WriteResult {
    const check = checkWrite(
      this,
      stream,
      expected,
      events.map((event) => event.id),
    );
    if (check.decision === 'stream-deleted') return { result: 'stream-deleted' };
    if (check.decision === 'wrong-expected-revision')
      return { result: check.decision, current: check.current };
    if (check.decision === 'no-answer') return { result: 'no-answer' };
    if (check.decision === 'written-before') return this.#writtenBefore(stream, check.lastRevision);

    const start = this.#end;
    if (events.length === 0) this.#skip(BigInt(RECORD_OVERHEAD + Buffer.byteLength(stream)));
    const undeletesByMetadata = isMetastream(stream) && this.isSoftDeleted(originalOf(stream));
    const written = events.map((event) => this.#write(stream, event));
    if (check.softDeleted) this.#undelete(stream, check.current + 1n);
    if (undeletesByMetadata) {
      this.#undelete(originalOf(stream), this.lastRevision(originalOf(stream)) + 1n);
    }
    const last = written.at(-1);
    return {
      result: 'success',
      lastRevision: last?.revision ?? check.current,
      position: last?.position ?? start,
    };
  }

  /** Hides the stream until it is written again; its events stay in the log. */
  softDelete(stream: string, expected: ExpectedRevision): WriteOutcome {
    const refusal = this.#refuseDelete(stream, expected);
    if (refusal !== undefined) return refusal;
    const exists =
      this.lastRevision(stream) > NO_REVISION || this.lastRevision(metastreamOf(stream)) > NO_REVISION;
    if (!exists) return { result: 'wrong-expected-revision', current: NO_REVISION };
    const { revision, position } = this.#writeDocument(
      metastreamOf(stream),
      Buffer.from(SOFT_DELETED_DOCUMENT),
    );
    return { result: 'success', lastRevision: revision, position };
  }

  /** Ends the stream forever. */
  tombstone(stream: string, expected: ExpectedRevision): WriteOutcome {
    const refusal = this.#refuseDelete(stream, expected);
    if (refusal !== undefined) return refusal;
    this.#tombstoned.add(stream);
    const event = { id: randomUUID(), type: TOMBSTONE_TYPE, isJson: false, data: NOTHING, metadata: NOTHING };
    const { position } = this.#record(stream, event, HIGHEST_REVISION);
    return { result: 'success', lastRevision: HIGHEST_REVISION, position };
  }

  /** Calls `listener` with each event as it is written. @returns how to stop that. */
  onWritten(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts the log as a node does: writes an epoch record, and forgets the recent ids. */
  startEpoch(): void {
    this.recentIds.forget();
    this.#skip(EPOCH_RECORD);
    const data = Buffer.from(`{"LeaderInstanceId":"${randomUUID()}"}`);
    this.#write('$epoch-information', {
      id: randomUUID(),
      type: '$epoch-information',
      isJson: true,
      data,
      metadata: NOTHING,
    });
  }

  #skip(size: bigint): void {
    this.#bare.add(this.#end);
    this.#end += size;
  }

  #refuseDelete(stream: string, expected: ExpectedRevision): WriteOutcome | undefined {
    const check = checkWrite(this, stream, expected, [randomUUID()]);
    if (check.decision === 'stream-deleted') return { result: 'stream-deleted' };
    if (check.decision === 'wrong-expected-revision')
      return { result: check.decision, current: check.current };
    return undefined;
  }

  /** Of a repeat whose event can no longer be read, the server does not know the position. */
  #writtenBefore(stream: string, lastRevision: bigint): WriteOutcome {
    const first = this.firstVisible(stream);
    const isVisible = first !== null && lastRevision >= first;
    const position = isVisible ? this.eventsOf(stream)[Number(lastRevision)]?.position : undefined;
    return { result: 'success', lastRevision, position };
  }

  #undelete(stream: string, startsAt: bigint): void {
    const metastream = metastreamOf(stream);
    const document = this.eventsOf(metastream).at(-1)?.data ?? NOTHING;
    this.#writeDocument(metastream, undeleted(document, startsAt));
  }

  #writeDocument(metastream: string, data: Uint8Array): LogEvent {
    const event = { id: randomUUID(), type: METADATA_TYPE, isJson: true, data, metadata: NOTHING };
    return this.#write(metastream, event);
  }

  #write(stream: string, event: ProposedEvent): LogEvent {
    const written = this.#record(stream, event, this.lastRevision(stream) + 1n);
    const events = this.#streams.get(stream);
    if (events === undefined) this.#streams.set(stream, [written]);
    else events.push(written);
    this.recentIds.remember(event.id, stream, written.revision);
    return written;
  }

  #record(stream: string, event: ProposedEvent, revision: bigint): LogEvent {
    const texts = Buffer.byteLength(stream) + Buffer.byteLength(event.type);
    const size = RECORD_OVERHEAD + texts + event.data.byteLength + event.metadata.byteLength;
    const position = this.#end;
    this.#end += BigInt(size);
    const recorded = { ...event, stream, revision, position, end: this.#end, createdAt: Date.now() };
    this.#all.push(recorded);
    for (const listener of this.#listeners) listener(recorded);
    return recorded;
  }
}
