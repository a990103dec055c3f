import type { ProposedEvent, StoredEvent } from '../log/record.js';
import { shared, streams, type Shared, type Streams } from './messages.js';
import { readUuid, writeUuid } from './uuids.js';

const JSON_TYPE = 'application/json';
const BINARY_TYPE = 'application/octet-stream';

/** The stream's name, UTF-8 on the wire. @throws when nothing may be written to it */
export function writableStream(identifier: Shared.StreamIdentifier | undefined): string {
  const name = streamName(identifier);
  if (name === '' || name === '$$' || name === '$all') throw new Error(`Invalid stream name '${name}'`);
  return name;
}

export const streamName = (identifier: Shared.StreamIdentifier | undefined): string =>
  Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');

export const streamIdentifier = (name: string): Shared.StreamIdentifier =>
  new shared.StreamIdentifier().setStreamName(Buffer.from(name, 'utf8'));

/** @throws when the event has no id, no type or no content type */
export function readProposed(
  message: Streams.AppendReq.ProposedMessage | Streams.BatchAppendReq.ProposedMessage,
): ProposedEvent {
  const metadata = message.getMetadataMap();
  const type = metadata.get('type') ?? '';
  const contentType = metadata.get('content-type');
  if (type === '') throw new Error('Empty eventType provided.');
  if (contentType === undefined) throw new Error("The given key 'content-type' was not present in the dictionary.");
  return {
    id: readUuid(message.getId()),
    type,
    isJson: contentType === JSON_TYPE,
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

/** The server keeps of the content type only whether it is JSON. */
export function writeRecorded(event: StoredEvent, structuredIds: boolean): Streams.ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(writeUuid(event.id, structuredIds));
  recorded.setStreamIdentifier(streamIdentifier(event.stream));
  recorded.setStreamRevision(String(event.revision));
  recorded.setCommitPosition(String(event.commit));
  recorded.setPreparePosition(String(event.prepare));
  recorded.setData(event.data);
  recorded.setCustomMetadata(event.metadata);
  const metadata = recorded.getMetadataMap();
  metadata.set('type', event.type);
  metadata.set('content-type', event.isJson ? JSON_TYPE : BINARY_TYPE);
  metadata.set('created', String(event.created));
  const read = new streams.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(String(event.commit));
  return new streams.ReadResp().setEvent(read);
}
