import { addAbortSignal } from 'node:stream';
import type { Agent } from 'undici';
import { PeerUnreachable, type FeedMessage } from '../../../ports/peer-transport.port.js';
import { requestTarget, type Via } from './destination.js';
import { EventStreamParser, type StreamMessage } from './event-stream-parser.js';
import { describeStatus, codeOfBody, toPeerUnreachable } from './failure-reason.js';

/** The peer sends a comment every 10 s; this long without a byte and the connection is dead. */
const IDLE_TIMEOUT_MS = 30_000;
const MAX_ERROR_BYTES = 16 * 1024;

export interface FeedCall {
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
