import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { LogEvent, ProposedEvent } from './records.ts';

type Uuid = InstanceType<typeof shared.UUID>;
type StreamIdentifier = InstanceType<typeof shared.StreamIdentifier>;
type ReadResp = InstanceType<typeof streams.ReadResp>;

const TICKS_PER_MS = 10_000n;

const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const EMPTY_UUID = '00000000-0000-0000-0000-000000000000';

/** An event as both append requests carry it. */
interface ProposedMessage {
  getId(): Uuid | undefined;
  getMetadataMap(): { get(key: string): string | undefined };
  getData_asU8(): Uint8Array;
  getCustomMetadata_asU8(): Uint8Array;
}

/** The server takes this request for a bad one. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
}

/** @throws BadRequest an id that is not a UUID, or a missing event type. */
export function readProposed(message: ProposedMessage): ProposedEvent {
  const id = (message.getId()?.getString() ?? '').toLowerCase();
  if (!UUID_FORM.test(id)) throw new BadRequest('Unrecognized Guid format.');
  if (id === EMPTY_UUID) throw new BadRequest("Empty eventId provided. (Parameter 'eventId')");
  const type = message.getMetadataMap().get('type') ?? '';
  if (type === '') throw new BadRequest("Empty eventType provided. (Parameter 'eventType')");
  return {
    id,
    type,
    isJson: message.getMetadataMap().get('content-type') === 'application/json',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

export function readStreamName(identifier: StreamIdentifier | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
}

export function writeStreamName(stream: string): StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
}

export function eventMessage(event: LogEvent): ReadResp {
  const position = event.position.toString();
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(event.id))
    .setStreamIdentifier(writeStreamName(event.stream))
    .setStreamRevision(event.revision.toString())
    .setCommitPosition(position)
    .setPreparePosition(position)
    .setData(event.data)
    .setCustomMetadata(event.metadata);
  recorded
    .getMetadataMap()
    .set('type', event.type)
    .set('content-type', event.isJson ? 'application/json' : 'application/octet-stream')
    .set('created', (BigInt(event.createdAt) * TICKS_PER_MS).toString());
  const read = new streams.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(position);
  return new streams.ReadResp().setEvent(read);
}

export function notFoundMessage(stream: string): ReadResp {
  const notFound = new streams.ReadResp.StreamNotFound().setStreamIdentifier(writeStreamName(stream));
  return new streams.ReadResp().setStreamNotFound(notFound);
}

export function confirmationMessage(subscriptionId: string): ReadResp {
  const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(subscriptionId);
  return new streams.ReadResp().setConfirmation(confirmation);
}

export function checkpointMessage(position: bigint): ReadResp {
  const checkpoint = new streams.ReadResp.Checkpoint()
    .setCommitPosition(position.toString())
    .setPreparePosition(position.toString());
  return new streams.ReadResp().setCheckpoint(checkpoint);
}

export function caughtUpMessage(): ReadResp {
  return new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp());
}
