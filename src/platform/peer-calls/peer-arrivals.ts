import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/**
 * Tells the listeners in this process that a peer has opened the feed of this server. This shows that the peer is
 * running and exchanges packages with this server, so it can be called without delay.
 */
@Injectable()
export class PeerArrivals {
  private readonly emitter = new EventEmitter<{ arrived: [peerId: string] }>().setMaxListeners(0);

  /** Calls all listeners with the id of the peer. */
  noteArrival(peerId: string): void {
    this.emitter.emit('arrived', peerId);
  }

  /** Calls the listener whenever a peer opens the feed. Returns a function that ends this. */
  onArrival(listener: (peerId: string) => void): () => void {
    this.emitter.on('arrived', listener);
    return () => this.emitter.off('arrived', listener);
  }
}
