import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Streams } from '../../protocol/messages.js';

export type ReadCall = ServerWritableStream<Streams.ReadReq, Streams.ReadResp>;

/** The answering side of a read: sends no faster than the client takes, and knows when the client is gone. */
export class Outlet {
  isClosed = false;
  private wakeUp: () => void = () => undefined;

  constructor(private readonly call: ReadCall) {
    for (const event of ['cancelled', 'close', 'finish', 'error']) {
      call.on(event, () => {
        this.isClosed = true;
        this.wake();
      });
    }
    call.on('drain', () => this.wake());
  }

  async send(message: Streams.ReadResp): Promise<void> {
    if (this.isClosed) return;
    this.call.write(message);
    while (this.call.writableNeedDrain && !this.isClosed) await this.pause();
  }

  /** Until something happened: room to write, the end of the call, or a `wake` from outside. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.wakeUp = resolve;
    });
  }

  wake(): void {
    this.wakeUp();
  }

  /** A clean end: the client sees no error. */
  end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.call.end();
    this.wake();
  }
}
