import type { sendUnaryData, ServerReadableStream, StatusObject } from '@grpc/grpc-js';
import type { Access } from '../../network/access.js';
import { readProposed, writableStream } from '../../protocol/events.js';
import type { Streams } from '../../protocol/messages.js';
import { missingProperty, thrown, tooLarge } from '../../protocol/rejections.js';
import { appendAnswer } from './answers.js';
import type { Appender } from './appender.js';
import { AppendRequest, expectedOfAppend } from './request.js';

type Call = ServerReadableStream<Streams.AppendReq, Streams.AppendResp>;

/** `Streams.Append`: first the options, then an event a message; one answer at the end. Clients use it with own credentials. */
export const appendHandler =
  (appender: Appender, access: Access) =>
  (call: Call, answer: sendUnaryData<Streams.AppendResp>): void => {
    let request: AppendRequest | undefined;
    let failure = access.refusal(call.metadata);
    call.on('data', (message: Streams.AppendReq) => {
      if (failure) return;
      try {
        if (request) failure = addEvent(request, message);
        else request = begin(message);
      } catch (error) {
        failure = thrown(error);
      }
    });
    // A call that was cut off ends too, and only then is known to be cancelled: half an append must not be stored.
    call.on('end', () =>
      setImmediate(() => {
        if (call.cancelled) return;
        if (failure || !request) answer(failure ?? thrown(new Error('No options')));
        else append(appender, request, answer);
      }),
    );
  };

function append(appender: Appender, request: AppendRequest, answer: sendUnaryData<Streams.AppendResp>): void {
  appender.append(request, (result) => answer(null, appendAnswer(result, request.expected)));
}

function begin(message: Streams.AppendReq): AppendRequest {
  const options = message.getOptions();
  if (!options) throw new Error('The first message has no options');
  return new AppendRequest(writableStream(options.getStreamIdentifier()), expectedOfAppend(options));
}

function addEvent(request: AppendRequest, message: Streams.AppendReq): Partial<StatusObject> | null {
  const proposed = message.getProposedMessage();
  if (!proposed) throw new Error('Neither the first message nor an event');
  for (const name of ['type', 'content-type']) if (!proposed.getMetadataMap().has(name)) return missingProperty(name);
  request.add(readProposed(proposed));
  return request.isTooLarge ? tooLarge() : null;
}
