import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Message } from 'google-protobuf';
import { status } from '@grpc/grpc-js';
import type { AppendResult } from '../../log/event-log.js';
import type { ExpectedRevision } from '../../log/record.js';
import { MAX_APPEND_BYTES } from '../../protocol/limits.js';
import { shared, statuses, streams, type Statuses, type Streams } from '../../protocol/messages.js';

const empty = () => new shared.Empty();
const googleEmpty = () => new emptyPb.Empty();

/** `AppendResp`: a wrong expected version is a result here, not a failed call. */
export function appendAnswer(result: AppendResult, expected: ExpectedRevision): Streams.AppendResp {
  if (result.kind === 'conflict')
    return new streams.AppendResp().setWrongExpectedVersion(wrongVersion(result.revision, expected));
  const success = new streams.AppendResp.Success();
  if (result.revision === null) success.setNoStream(empty());
  else success.setCurrentRevision(String(result.revision));
  if (result.position === null) return new streams.AppendResp().setSuccess(success.setNoPosition(empty()));
  const position = new streams.AppendResp.Position();
  position.setCommitPosition(String(result.position.commit)).setPreparePosition(String(result.position.prepare));
  return new streams.AppendResp().setSuccess(success.setPosition(position));
}

function wrongVersion(current: bigint | null, expected: ExpectedRevision): Streams.AppendResp.WrongExpectedVersion {
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  if (current === null) wrong.setCurrentNoStream(empty());
  else wrong.setCurrentRevision(String(current));
  if (expected === 'any') return wrong.setExpectedAny(empty());
  if (expected === 'no_stream') return wrong.setExpectedNoStream(empty());
  if (expected === 'stream_exists') return wrong.setExpectedStreamExists(empty());
  return wrong.setExpectedRevision(String(expected));
}

/** `BatchAppendResp`: every "no" is a `google.rpc.Status` whose details say which. */
export function batchAnswer(result: AppendResult, expected: ExpectedRevision): Streams.BatchAppendResp {
  if (result.kind === 'conflict')
    return new streams.BatchAppendResp().setError(conflictStatus(result.revision, expected));
  const success = new streams.BatchAppendResp.Success();
  if (result.revision === null) success.setNoStream(googleEmpty());
  else success.setCurrentRevision(String(result.revision));
  if (result.position === null) return new streams.BatchAppendResp().setSuccess(success.setNoPosition(googleEmpty()));
  const position = new shared.AllStreamPosition();
  position.setCommitPosition(String(result.position.commit)).setPreparePosition(String(result.position.prepare));
  return new streams.BatchAppendResp().setSuccess(success.setPosition(position));
}

function conflictStatus(current: bigint | null, expected: ExpectedRevision): Statuses.Status {
  const wrong = new shared.WrongExpectedVersion();
  if (current === null) wrong.setCurrentNoStream(googleEmpty());
  else wrong.setCurrentStreamRevision(String(current));
  if (expected === 'any') wrong.setExpectedAny(googleEmpty());
  else if (expected === 'no_stream') wrong.setExpectedNoStream(googleEmpty());
  else if (expected === 'stream_exists') wrong.setExpectedStreamExists(googleEmpty());
  else wrong.setExpectedStreamPosition(String(expected));
  return batchStatus(status.FAILED_PRECONDITION, 'Wrong expected version.', 'WrongExpectedVersion', wrong);
}

export const accessDenied = (): Statuses.Status =>
  batchStatus(status.PERMISSION_DENIED, 'Access Denied', 'AccessDenied', new shared.AccessDenied());

export const timeout = (): Statuses.Status =>
  batchStatus(status.DEADLINE_EXCEEDED, 'Timeout', 'Timeout', new shared.Timeout());

export const batchTooLarge = (): Statuses.Status =>
  batchStatus(
    status.INVALID_ARGUMENT,
    'Maximum Append Size Exceeded',
    'MaximumAppendSizeExceeded',
    new shared.MaximumAppendSizeExceeded().setMaxappendsize(MAX_APPEND_BYTES),
  );

/** The client of 6.2.1 does not know this one, and reports an unknown error. */
export const badRequest = (message: string): Statuses.Status =>
  batchStatus(status.INVALID_ARGUMENT, message, 'BadRequest', new shared.BadRequest().setMessage(message));

function batchStatus(code: status, message: string, name: string, details: Message): Statuses.Status {
  const packed = new anyPb.Any();
  packed.pack(details.serializeBinary(), `event_store.client.${name}`);
  return new statuses.Status().setCode(Number(code)).setMessage(message).setDetails(packed);
}
