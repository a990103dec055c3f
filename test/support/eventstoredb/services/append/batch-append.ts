import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Access } from '../../network/access.js';
import { readProposed, streamIdentifier, streamName, writableStream } from '../../protocol/events.js';
import { streams, type Shared, type Statuses, type Streams } from '../../protocol/messages.js';
import { readUuid } from '../../protocol/uuids.js';
import { accessDenied, badRequest, batchAnswer, batchTooLarge, timeout } from './answers.js';
import type { Appender } from './appender.js';
import { AppendRequest, expectedOfBatch } from './request.js';

type Call = ServerDuplexStream<Streams.BatchAppendReq, Streams.BatchAppendResp>;

/** `Streams.BatchAppend` (server 21.10 and later): many appends in flight on one call, told apart by correlation ids. */
export const batchAppendHandler =
  (appender: Appender, access: Access) =>
  (call: Call): void => {
    const refusal = access.refusal(call.metadata);
    if (refusal?.code === status.UNAUTHENTICATED) {
      call.emit('error', refusal);
      return;
    }
    const batch = new BatchCall(call, appender, refusal !== null);
    call.on('data', (message: Streams.BatchAppendReq) => batch.receive(message));
    call.on('end', () => batch.finish());
  };

class BatchCall {
  private readonly requests = new Map<string, AppendRequest>();
  private inFlight = 0;
  private isFinished = false;

  constructor(
    private readonly call: Call,
    private readonly appender: Appender,
    private readonly isAnonymous: boolean,
  ) {}

  /** A part of an append: the first has the options, the last says that it is final. */
  receive(message: Streams.BatchAppendReq): void {
    try {
      this.handle(message);
    } catch (error) {
      this.requests.delete(message.getCorrelationId()?.getString() ?? '');
      this.refuse(message, badRequest(error instanceof Error ? error.message : String(error)));
    }
  }

  /** The client sends no more; the call ends when everything is answered. */
  finish(): void {
    this.isFinished = true;
    if (this.inFlight === 0) this.call.end();
  }

  private handle(message: Streams.BatchAppendReq): void {
    const id = readUuid(message.getCorrelationId());
    const options = message.getOptions();
    if (options && !this.begin(id, message, options)) return;
    const request = this.requests.get(id);
    if (!request) return;
    for (const event of message.getProposedMessagesList()) request.add(readProposed(event));
    if (request.isTooLarge) {
      this.requests.delete(id);
      this.refuse(message, batchTooLarge(), request.stream);
    } else if (message.getIsFinal()) {
      this.requests.delete(id);
      this.append(message, request);
    }
  }

  private begin(id: string, message: Streams.BatchAppendReq, options: Streams.BatchAppendReq.Options): boolean {
    const refusal = this.isAnonymous ? accessDenied() : isOver(options) ? timeout() : null;
    if (refusal) this.refuse(message, refusal);
    else
      this.requests.set(id, new AppendRequest(writableStream(options.getStreamIdentifier()), expectedOfBatch(options)));
    return refusal === null;
  }

  private append(message: Streams.BatchAppendReq, request: AppendRequest): void {
    this.inFlight++;
    this.appender.append(request, (result) => {
      this.inFlight--;
      this.answer(message, batchAnswer(result, request.expected), request.stream);
      if (this.isFinished && this.inFlight === 0) this.call.end();
    });
  }

  private refuse(message: Streams.BatchAppendReq, error: Statuses.Status, stream?: string): void {
    const name = stream ?? streamName(message.getOptions()?.getStreamIdentifier());
    this.answer(message, new streams.BatchAppendResp().setError(error), name);
  }

  private answer(message: Streams.BatchAppendReq, response: Streams.BatchAppendResp, stream: string): void {
    if (this.call.cancelled || this.call.destroyed) return;
    const correlation: Shared.UUID | undefined = message.getCorrelationId();
    this.call.write(response.setCorrelationId(correlation).setStreamIdentifier(streamIdentifier(stream)));
  }
}

/** The deadline of an append that is over when it comes in. */
function isOver(options: Streams.BatchAppendReq.Options): boolean {
  const deadline = options.getDeadline();
  return deadline !== undefined && deadline.toDate().getTime() <= Date.now();
}
