import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { Channel } from './channel.ts';
import { caughtUpMessage, checkpointMessage, confirmationMessage, eventMessage } from './messages.ts';
import type { Node } from './node.ts';
import type { LogEvent } from './records.ts';
import { RpcError, timedOut } from './rpc-errors.ts';
import { type ReadCall, send } from './send.ts';
import { type Source, sourceOf } from './subscription-source.ts';

interface Outgoing {
  readonly message: streams.ReadResp;
  readonly event?: LogEvent;
}

/** How long the server waits before it looks again for a stream that is not there. */
const POLL_MS = 50;

/** Serves one subscription until either side ends it. */
export async function subscribe(node: Node, call: ReadCall, options: streams.ReadReq.Options): Promise<void> {
  const source = sourceOf(node.readableLog, options);
  if (source instanceof RpcError) {
    call.emit('error', source);
    return;
  }
  node.subscriptions.add(call, source.start);
  await new Subscription(node, call, source).serve();
}

/**
 * A subscription catches up page by page, at its client's pace. Once it has, the log hands it each event as it is
 * written, and the log does not wait: a client that leaves more than two channels of 32 events unread is dropped.
 */
class Subscription {
  readonly #node: Node;
  readonly #call: ReadCall;
  readonly #source: Source;
  readonly #out = new Channel<Outgoing>();
  readonly #live = new Channel<Outgoing>();
  #isConfirmed = false;
  #isLive = false;
  #sinceCheckpoint = 0;
  #delivered: bigint | undefined;
  #stopListening: (() => void) | undefined;

  constructor(node: Node, call: ReadCall, source: Source) {
    this.#node = node;
    this.#call = call;
    this.#source = source;
    this.#delivered = source.after;
    call.on('cancelled', () => this.#dispose());
    call.on('close', () => this.#dispose());
    call.on('finish', () => this.#dispose());
  }

  async serve(): Promise<void> {
    const { start } = this.#source;
    const producing = start === 'end' ? this.#goLive(start) : this.#catchUp(start);
    try {
      await this.#deliver();
      if (!this.#isSilent) this.#call.end();
    } catch (error) {
      this.#call.emit('error', error);
    }
    await producing;
  }

  get #isSilent(): boolean {
    return this.#node.subscriptions.isSilent(this.#call);
  }

  async #deliver(): Promise<void> {
    for await (const { message, event } of this.#out) {
      if (this.#isSilent && !message.hasConfirmation()) continue;
      if (event !== undefined && !this.#isNew(event)) continue;
      if (!(await send(this.#call, message))) return;
    }
  }

  #isNew(event: LogEvent): boolean {
    const cursor = this.#source.cursorOf(event);
    if (this.#delivered !== undefined && cursor <= this.#delivered) return false;
    this.#delivered = cursor;
    const end = this.#source.endsWith(event);
    if (end !== undefined) this.#out.close(end);
    return true;
  }

  async #catchUp(start: bigint): Promise<void> {
    let cursor = start;
    while (!this.#out.isClosed) {
      const page = this.#source.readPage(cursor);
      if (page === 'stream-deleted') return this.#out.close(this.#source.deleted());
      await this.#confirm();
      if (page === 'stream-not-found') {
        await delay(POLL_MS, undefined, { ref: false });
        continue;
      }
      for (const event of page.events) await this.#out.write({ message: eventMessage(event), event });
      this.#sinceCheckpoint += page.considered;
      this.#node.subscriptions.considered += page.considered;
      if (page.isEnd) return this.#goLive(page.next);
      await this.#writeCheckpointWhenDue(page.events.at(-1)?.position ?? cursor);
      cursor = page.next;
    }
  }

  /** While catching up, a checkpoint is the last event of the page, or the start of a page without events. */
  async #writeCheckpointWhenDue(position: bigint): Promise<void> {
    const { checkpointInterval } = this.#source;
    if (checkpointInterval === undefined || this.#sinceCheckpoint < checkpointInterval) return;
    this.#sinceCheckpoint %= checkpointInterval;
    await this.#out.write({ message: checkpointMessage(position) });
  }

  async #goLive(start: bigint | 'end'): Promise<void> {
    if (this.#out.isClosed) return;
    const head = this.#node.readableLog.end;
    this.#stopListening = this.#node.readableLog.onWritten((event) => this.#onWritten(event));
    await this.#confirm();
    if (start !== 'end') await this.#readWhatWasMissed(start, head);
    if (this.#out.isClosed) return;
    this.#isLive = true;
    await this.#out.write({ message: caughtUpMessage() });
    for await (const item of this.#live) await this.#out.write(item);
  }

  /** Reads the events written between the last page and the first live event, without waiting for more. */
  async #readWhatWasMissed(start: bigint, head: bigint): Promise<void> {
    let cursor = start;
    while (!this.#out.isClosed) {
      const page = this.#source.readPage(cursor);
      if (page === 'stream-deleted') return this.#out.close(this.#source.deleted());
      if (page === 'stream-not-found') {
        await delay(POLL_MS, undefined, { ref: false });
        continue;
      }
      this.#node.subscriptions.considered += page.considered;
      if (page.events.length === 0 && page.isEnd) return;
      for (const event of page.events) {
        if (event.position >= head) return;
        if (!this.#out.tryWrite({ message: eventMessage(event), event })) return this.#dropAsTooSlow();
      }
      cursor = page.next;
    }
  }

  #onWritten(event: LogEvent): void {
    if (this.#isSilent) return;
    if (this.#source.sees(event)) this.#writeLive({ message: eventMessage(event), event });
    const { checkpointInterval } = this.#source;
    if (checkpointInterval === undefined) return;
    this.#sinceCheckpoint += 1;
    if (this.#sinceCheckpoint < checkpointInterval) return;
    this.#sinceCheckpoint = 0;
    this.#writeLive({ message: checkpointMessage(event.position) });
  }

  #writeLive(item: Outgoing): void {
    if (!this.#live.tryWrite(item)) this.#dropAsTooSlow();
  }

  #dropAsTooSlow(): void {
    const state = this.#isLive ? 'live' : 'transitioning to live';
    const why = `Consumer too slow to handle event while ${state}. Client resubscription required.`;
    this.#stopListening?.();
    this.#live.close();
    this.#out.close(timedOut(why));
  }

  async #confirm(): Promise<void> {
    if (this.#isConfirmed) return;
    this.#isConfirmed = true;
    await this.#out.write({ message: confirmationMessage(randomUUID()) });
  }

  #dispose(): void {
    this.#stopListening?.();
    this.#live.close();
    this.#out.close();
  }
}
