import { Controller, Get, Logger, Req, Res } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../../../kernel/refusal.js';
import { currentContext } from '../../../platform/context/call-context.js';
import { PeerCall } from '../../../platform/peer-auth/peer-call.decorator.js';
import { sendEventStream } from './event-stream.js';
import { FeedSource } from './feed-source.js';
import { OpenFeeds } from './open-feeds.js';
import { ServedPeers } from './served-peers.js';

const MAX_ID_LENGTH = 500;

/** What changes here, for the peers that follow this server. */
@Controller('peer/v1/feed')
export class FeedController {
  private readonly logger = new Logger('Feed');

  constructor(
    private readonly source: FeedSource,
    private readonly feeds: OpenFeeds,
    private readonly peers: ServedPeers,
  ) {}

  /** Server-sent events without an end; goes on after `Last-Event-ID`. Refusal: PEER_NOT_SERVED. */
  @Get()
  @PeerCall()
  async follow(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    const { actor } = currentContext();
    const { signal, end } = this.feeds.openFeed(actor.id);
    endWithCaller(request, response);
    response.on('close', end);
    try {
      // Only now: a change of policy from here on ends the feed.
      await this.peers.caller();
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

/** A caller who closes its side may wait for the rest of an answer, but this one has no end. */
function endWithCaller({ socket }: IncomingMessage, response: ServerResponse): void {
  const left = (): void => void response.destroy();
  socket.once('end', left);
  response.once('close', () => socket.off('end', left));
}
