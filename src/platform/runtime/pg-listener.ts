import { EventEmitter } from 'node:events';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Database, type NotificationListener } from '../../ports/database.port.js';

/**
 * Listens to the notifications of the database on one connection for the whole process. Notifications that are sent
 * while the connection is interrupted are lost, so `onReconnect` tells when that may have happened.
 */
@Injectable()
export class PgListener implements OnApplicationShutdown {
  private readonly logger = new Logger('PgListener');
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  private readonly connection: NotificationListener;

  constructor(database: Database) {
    this.connection = database.openListener({
      name: 'odst listener',
      onNotification: (channel, payload) => this.emitter.emit(`on ${channel}`, payload),
      onConnected: (isFirst) => {
        if (!isFirst) this.emitter.emit('reconnect');
      },
      onLost: (error) => {
        if (error) this.logger.warn(`The listening connection was lost: ${error.message}`);
      },
    });
  }

  /** Calls the listener with the payload of each notification of the channel. */
  listen(channel: string, listener: (payload: string) => void): void {
    this.emitter.on(`on ${channel}`, listener);
    this.connection.addChannel(channel);
  }

  /** Calls the listener after each reconnect. Returns a function that ends this. */
  onReconnect(listener: () => void): () => void {
    this.emitter.on('reconnect', listener);
    return () => this.emitter.off('reconnect', listener);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection.close();
  }
}
