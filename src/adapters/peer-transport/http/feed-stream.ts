import { randomUUID } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import { createParser } from 'eventsource-parser';
import type { Dispatcher } from 'undici';
import { type FeedMessage, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { codeOfBody, describeStatus, toPeerUnreachable } from './failure-reason.js';
import type { PeerAgents, RequestTarget, Via } from './json-calls.js';

/** Lets a peer tell this process from another one that calls under the same id. It means nothing else, so it is not signed. */
const PROCESS_ID = randomUUID();

/** A message of a feed. `id` is the latest one that the stream has named, '' before the first. */
interface StreamMessage {
  readonly id: string;
  readonly data: string;
}

/** Upper limit for one message, in UTF-16 code units. */
const MAX_MESSAGE_LENGTH = 1024 * 1024;

/** Reads server-sent events (WHATWG HTML, 9.2) from pieces of bytes. The feed uses only their `id` and `data`. */
class FeedParser {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly parser = createParser({
    maxBufferSize: MAX_MESSAGE_LENGTH,
    onEvent: ({ id, data }) => this.addMessage(id, data),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw error;
    },
  });
  private messages: StreamMessage[] = [];
  private lastId = '';

  /** Returns the messages that this piece completes. @throws ParseError on a message that is too long, TypeError on broken UTF-8 */
  parsePiece(piece: Uint8Array): readonly StreamMessage[] {
    this.messages = [];
    this.parser.feed(this.decoder.decode(piece, { stream: true }));
    return this.messages;
  }

  private addMessage(id: string | undefined, data: string): void {
    this.lastId = id ?? this.lastId;
    this.messages.push({ id: this.lastId, data });
  }
}

/** A peer sends at least a comment every 10 s. A connection without a byte for this time is dead. */
const IDLE_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 16 * 1024;

interface FeedCall {
  readonly url: string;
  readonly via: Via;
  readonly headers: Readonly<Record<string, string>>;
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
  readonly idleTimeoutMs?: number;
}

type Body = Dispatcher.ResponseData['body'];

/**
 * Yields the messages of a peer's feed until the signal aborts or the connection ends.
 * @throws PeerUnreachable when the connection ends
 */
export async function* followFeed(agents: PeerAgents, peerName: string, call: FeedCall): AsyncGenerator<FeedMessage> {
  try {
    const body = await openFeed(agents.targetOf(call.url, call.via), peerName, call);
    yield { kind: 'connected' };
    yield* readMessages(peerName, body);
    throw new PeerUnreachable(peerName, 'the feed ended');
  } catch (error) {
    if (call.signal.aborted) return;
    throw await agents.explain(toPeerUnreachable(peerName, error), call.url, call.via);
  }
}

async function openFeed(target: RequestTarget, peerName: string, call: FeedCall): Promise<Body> {
  const resume = call.lastEventId === null ? {} : { 'last-event-id': call.lastEventId };
  const { statusCode, headers, body } = await target.agent.request({
    origin: target.origin,
    path: target.path,
    method: 'GET',
    headers: { accept: 'text/event-stream', 'odst-process': PROCESS_ID, ...resume, ...call.headers, ...target.headers },
    signal: call.signal,
    bodyTimeout: call.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    // A feed stays open for days, so it uses its own connection and leaves the others free for calls.
    reset: true,
  });
  if (statusCode === 200 && String(headers['content-type']).startsWith('text/event-stream')) return body;
  throw await refusalOf(peerName, statusCode, headers.date, body);
}

async function refusalOf(
  peerName: string,
  status: number,
  date: string | string[] | undefined,
  body: Body,
): Promise<PeerUnreachable> {
  body.on('error', () => undefined);
  if (status === 200) {
    body.destroy();
    return new PeerUnreachable(peerName, 'answered 200 without an event stream; is this the right address?', status);
  }
  const code = codeOfBody(await readFirstBytes(body));
  return new PeerUnreachable(peerName, describeStatus(status, code, date), status, code);
}

async function readFirstBytes(body: Body): Promise<string> {
  let text = '';
  for await (const piece of addAbortSignal(AbortSignal.timeout(2_000), body)) {
    text += String(piece);
    if (text.length > MAX_ERROR_BYTES) break;
  }
  return text;
}

async function* readMessages(peerName: string, body: Body): AsyncGenerator<FeedMessage> {
  const parser = new FeedParser();
  for await (const piece of body) {
    for (const message of parsePiece(peerName, parser, piece)) {
      yield { kind: 'item', id: message.id, data: parseData(message) };
    }
  }
}

function parsePiece(peerName: string, parser: FeedParser, piece: Uint8Array): readonly StreamMessage[] {
  try {
    return parser.parsePiece(piece);
  } catch {
    throw new PeerUnreachable(peerName, 'its feed sent garbage');
  }
}

/** Undefined for a message that is not JSON: reading it again would not help, and the messages after it must be read. */
function parseData({ data }: StreamMessage): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
