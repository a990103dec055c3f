import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { givesTo } from '../../../kernel/peer-policy/peer-policy.js';
import { PeerArrivals } from '../../../platform/peer-auth/peer-arrivals.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';

/**
 * The feeds that peers read now: one a peer, ended when the peer is suspended or is to get nothing any more, opens
 * another, or the server stops.
 */
@Injectable()
export class OpenFeeds implements OnModuleDestroy {
  private readonly open = new Map<string, AbortController>();
  private readonly stopWatching: () => void;

  constructor(
    private readonly directory: PeerDirectory,
    private readonly arrivals: PeerArrivals,
  ) {
    this.stopWatching = directory.onChange(() => void this.endUnwelcome());
  }

  /** Ends the peer's other feed, which it has lost. Close the new one by `end`. */
  openFeed(peerId: string): { readonly signal: AbortSignal; readonly end: () => void } {
    this.open.get(peerId)?.abort();
    const feed = new AbortController();
    this.open.set(peerId, feed);
    this.arrivals.note(peerId);
    const end = () => {
      feed.abort();
      if (this.open.get(peerId) === feed) this.open.delete(peerId);
    };
    return { signal: feed.signal, end };
  }

  /** Before the HTTP server and Apollo wait for open connections. */
  onModuleDestroy(): void {
    this.stopWatching();
    for (const feed of this.open.values()) feed.abort();
  }

  private async endUnwelcome(): Promise<void> {
    for (const [peerId, feed] of this.open) {
      const peer = await this.directory.find(peerId);
      if (!peer || peer.suspended || !givesTo(peer.policy)) feed.abort();
    }
  }
}
