import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

/** Tells, within one process, that a peer has just begun to read our news: it is back, and we are welcome there. */
@Injectable()
export class PeerArrivals {
  private readonly emitter = new EventEmitter<{ arrived: [peerId: string] }>().setMaxListeners(0);

  noteArrival(peerId: string): void {
    this.emitter.emit('arrived', peerId);
  }

  /** Returns the way to stop that. */
  onArrival(listener: (peerId: string) => void): () => void {
    this.emitter.on('arrived', listener);
    return () => this.emitter.off('arrived', listener);
  }
}
