import { addAbortSignal } from 'node:stream';
import type { Agent } from 'undici';
import { type FeedMessage, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { codeOfBody, describeStatus, toPeerUnreachable } from './failure-reason.js';
import { requestTarget, type Via } from './json-calls.js';

/** A message of a server-sent event stream; `id` is the last one seen, '' when there was none. */
interface StreamMessage {
  readonly id: string;
  readonly data: string;
}

/** Largest message, in bytes of UTF-8 text. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * Parses a server-sent event stream (WHATWG HTML, 9.2.6) piece by piece. Only `id` and `data` matter here; comments,
 * `event` and `retry` are skipped. Lines may end in LF, CRLF or CR.
 */
class EventStreamParser {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private rest = '';
  private data: string[] = [];
  private size = 0;
  private id = '';

  /** The messages that this piece completes. @throws RangeError on a message over 1 MiB, TypeError on broken UTF-8 */
  push(piece: Uint8Array): readonly StreamMessage[] {
    const text = this.rest + this.decoder.decode(piece, { stream: true });
    // A CR at the very end may be the first half of a CRLF.
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + text.slice(whole.length);
    const messages = lines.flatMap((line) => this.take(line));
    this.refuseOver(this.size + this.rest.length);
    return messages;
  }

  private take(line: string): readonly StreamMessage[] {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.addData(value);
    if (field === 'id' && !value.includes('\0')) this.id = value;
    return [];
  }

  private addData(value: string): void {
    this.size += value.length + 1;
    this.refuseOver(this.size);
    this.data.push(value);
  }

  private dispatch(): readonly StreamMessage[] {
    if (this.data.length === 0) return [];
    const message = { id: this.id, data: this.data.join('\n') };
    this.data = [];
    this.size = 0;
    return [message];
  }

  private refuseOver(size: number): void {
    if (size > MAX_MESSAGE_BYTES) throw new RangeError('a message of over 1 MiB');
  }
}

/** The peer sends a comment every 10 s; this long without a byte and the connection is dead. */
const IDLE_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 16 * 1024;

interface FeedCall {
  readonly url: string;
  readonly via: Via;
  readonly headers: Readonly<Record<string, string>>;
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
  readonly silenceMs?: number;
}

type Body = Awaited<ReturnType<Agent['request']>>['body'];

/** Messages of a peer's feed until the connection ends, which is always by a throw or the signal. */
export async function* followFeed(agent: Agent, peerName: string, call: FeedCall): AsyncGenerator<FeedMessage> {
  try {
    const body = await openFeed(agent, peerName, call);
    yield { kind: 'connected' };
    yield* readMessages(peerName, body);
    throw new PeerUnreachable(peerName, 'the feed ended');
  } catch (error) {
    if (call.signal.aborted) return;
    throw toPeerUnreachable(peerName, error);
  }
}

async function openFeed(agent: Agent, peerName: string, call: FeedCall): Promise<Body> {
  const { origin, path, host } = requestTarget(call.url, call.via);
  const resume = call.lastEventId === null ? {} : { 'last-event-id': call.lastEventId };
  const { statusCode, headers, body } = await agent.request({
    origin,
    path,
    method: 'GET',
    headers: { accept: 'text/event-stream', ...resume, ...call.headers, ...host },
    signal: call.signal,
    bodyTimeout: call.silenceMs ?? IDLE_TIMEOUT_MS,
    // A feed stays open for days: a connection of its own keeps the others free for calls.
    reset: true,
  });
  if (statusCode === 200 && String(headers['content-type']).startsWith('text/event-stream')) return body;
  throw await refusalOf(peerName, statusCode, body);
}

async function refusalOf(peerName: string, status: number, body: Body): Promise<PeerUnreachable> {
  body.on('error', () => undefined);
  if (status === 200) {
    body.destroy();
    return new PeerUnreachable(peerName, 'answered 200 without an event stream; is this the right address?', status);
  }
  const code = codeOfBody(await readFirstBytes(body));
  return new PeerUnreachable(peerName, describeStatus(status, code), status, code);
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
  const parser = new EventStreamParser();
  for await (const piece of body) {
    for (const message of parsePiece(peerName, parser, piece)) {
      yield { kind: 'item', id: message.id, data: parseData(peerName, message) };
    }
  }
}

function parsePiece(peerName: string, parser: EventStreamParser, piece: Uint8Array): readonly StreamMessage[] {
  try {
    return parser.push(piece);
  } catch {
    throw new PeerUnreachable(peerName, 'its feed sent garbage');
  }
}

function parseData(peerName: string, { data }: StreamMessage): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw new PeerUnreachable(peerName, 'its feed sent a message that is not JSON');
  }
}
