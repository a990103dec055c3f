import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Injectable, Logger, type OnModuleDestroy, Req, Res } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { sendsTo } from '../../../kernel/transfer-policy.js';
import { PeerArrivals } from '../../../platform/peer-calls/peer-arrivals.js';
import { PeerCall } from '../../../platform/peer-calls/peer-call.guard.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { COPY_ADVICE, SharedIds } from '../../peers/contracts/shared-ids.js';
import { FeedTurns } from './feed-turns.js';
import { type FeedEntry, FeedSource } from './feed-source.js';
import { ServedPeers } from './served-peers.js';

/** Interval of the heartbeat, so that the peer can detect a dead connection. */
const HEARTBEAT_INTERVAL_MS = 10_000;

/** Sends entries as server-sent events (WHATWG HTML, 9.2) until the signal aborts. Waits while the peer reads slowly. */
async function sendEventStream(
  response: ServerResponse,
  entries: AsyncIterable<FeedEntry>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  // Writing fails after the peer has left.
  response.on('error', () => undefined);
  response.write(':\n\n');
  const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_INTERVAL_MS);
  try {
    for await (const { id, item } of entries) {
      const fits = response.write(`id: ${id}\ndata: ${JSON.stringify(item)}\n\n`);
      if (!fits) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    response.end();
  }
}

/** A peer that opens its feed. */
interface FeedReader {
  readonly peerId: string;
  readonly name: string;
  readonly address: string | null;
  /** The process of the peer, as it says; null for an earlier version. */
  readonly process: string | null;
}

type OpenFeed = AbortController & { readonly reader: FeedReader };

/**
 * The feeds that peers are reading, one for each peer. A feed ends when the peer is suspended, when it is to receive
 * nothing any more, when it opens another feed, and when the server stops.
 */
@Injectable()
export class OpenFeeds implements OnModuleDestroy {
  private readonly open = new Map<string, OpenFeed>();
  private readonly turns = new FeedTurns();
  private readonly stopWatching: () => void;

  constructor(
    private readonly directory: PeerDirectory,
    private readonly arrivals: PeerArrivals,
    private readonly shared: SharedIds,
  ) {
    this.stopWatching = directory.onChange(() => void this.endUnwelcome());
  }

  /**
   * Opens a feed and ends the previous one of the peer, which has lost it. Call `end` to close the new feed.
   * @throws Refusal PEER_ID_SHARED when the previous one belongs to another server with the same id
   */
  openFeed(peer: FeedReader): { readonly signal: AbortSignal; readonly end: () => void } {
    const { peerId } = peer;
    const previous = this.open.get(peerId);
    if (previous) this.refuseTwin(peer, previous);
    previous?.abort();
    const feed = Object.assign(new AbortController(), { reader: peer });
    this.open.set(peerId, feed);
    this.arrivals.noteArrival(peerId);
    const end = () => {
      feed.abort();
      if (this.open.get(peerId) === feed) this.open.delete(peerId);
    };
    return { signal: feed.signal, end };
  }

  /** Two servers with the same id would end the feeds of each other for ever. */
  private refuseTwin(peer: FeedReader, { reader }: OpenFeed): void {
    const [opening, open] = [peer.process, reader.process];
    if (opening === null || open === null || this.turns.mayDisplace(peer.peerId, opening, open)) return;
    this.shared.note(peer, `one calls from ${reader.address}, and another one from ${peer.address}`);
    throw new Refusal('PEER_ID_SHARED', `Another server with the same id and key reads this feed. ${COPY_ADVICE}`);
  }

  /** Ends all feeds before the HTTP server and Apollo wait for open connections. */
  onModuleDestroy(): void {
    this.stopWatching();
    for (const feed of this.open.values()) feed.abort();
  }

  private async endUnwelcome(): Promise<void> {
    for (const [peerId, feed] of this.open) {
      const peer = await this.directory.find(peerId);
      if (!peer || peer.suspended || !sendsTo(peer.policy)) feed.abort();
    }
  }
}

const MAX_ID_LENGTH = 500;

/** Sends the changes of this server to the peers that follow it. */
@Controller('peer/v1/feed')
export class FeedController {
  private readonly logger = new Logger('Feed');

  constructor(
    private readonly source: FeedSource,
    private readonly feeds: OpenFeeds,
    private readonly peers: ServedPeers,
  ) {}

  /** Sends server-sent events without an end, from `Last-Event-ID` on. Refusals: PEER_NOT_SERVED, PEER_ID_SHARED. */
  @Get()
  @PeerCall()
  async follow(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const { actor, address } = currentContext();
    const reader = { peerId: actor.id, name: actor.name, address, process: readProcess(request) };
    const { signal, end } = this.feeds.openFeed(reader);
    endWithCaller(request, response);
    response.on('close', end);
    try {
      // The policy is checked after the feed was opened, so that a later change of policy ends the feed.
      await this.peers.requireCaller();
      await sendEventStream(response, this.source.readEntries(readLastId(request), signal), signal);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      this.logger.warn(`The feed to ${actor.name} ended: ${String(error)}`);
      response.destroy();
    } finally {
      end();
    }
  }
}

function readLastId({ headers }: IncomingMessage): string | null {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH ? id : null;
}

function readProcess({ headers }: IncomingMessage): string | null {
  const id = headers['odst-process'];
  return typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id) ? id : null;
}

/** Ends the answer when the caller closes its side. Normally a caller may wait for the rest, but this answer has no end. */
function endWithCaller({ socket }: IncomingMessage, response: ServerResponse): void {
  const left = (): void => void response.destroy();
  socket.once('end', left);
  response.once('close', () => socket.off('end', left));
}
