import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { PgListener } from '../runtime/pg-listener.js';

const CHANNEL = 'odst_read_model';
/**
 * The longest payload of a notification, in UTF-16 code units; PostgreSQL accepts less than 8,000 bytes. A longer list
 * of keys is left out.
 */
const MAX_PAYLOAD = 7_500;

const Payload = z.object({ p: z.string(), c: z.string(), k: z.array(z.string()).nullable() });

/** The keys of the rows of a read model that changed, and the cursor up to which the read model is complete. */
export interface Change {
  readonly projection: string;
  readonly cursor: string;
  readonly keys: readonly string[];
}

type KeysListener = (keys: readonly string[] | null) => void;
type CursorListener = (projection: string, cursor: string) => void;

/**
 * Tells every process of this server which rows of which read model have changed, as soon as the change is committed.
 */
@Injectable()
export class ReadModelChanges {
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  constructor(private readonly listener: PgListener) {
    listener.listen(CHANNEL, (payload) => this.receivePayload(payload));
  }

  /**
   * Calls the listener with the keys of changed rows. The keys are null when there are too many of them, and after the
   * connection was lost; any row may then have changed. Returns a function that ends this.
   */
  subscribe(projection: string, listener: KeysListener): () => void {
    const reconnected = () => listener(null);
    this.emitter.on(projection, listener);
    const stopReconnected = this.listener.onReconnect(reconnected);
    return () => {
      this.emitter.off(projection, listener);
      stopReconnected();
    };
  }

  /** Calls the listener whenever a projection has moved its checkpoint. Returns a function that ends this. */
  onCursor(listener: CursorListener): () => void {
    this.emitter.on('cursor', listener);
    return () => this.emitter.off('cursor', listener);
  }

  /**
   * Announces changes within the transaction of the projections. PostgreSQL sends the notifications when it commits,
   * and none when it is rolled back.
   */
  async announceChanges(tx: EntityManager, changes: readonly Change[]): Promise<void> {
    await tx.query('SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload', [
      CHANNEL,
      changes.map(payloadOf),
    ]);
  }

  private receivePayload(payload: string): void {
    const change = Payload.safeParse(JSON.parse(payload));
    if (!change.success) return;
    this.emitter.emit('cursor', change.data.p, change.data.c);
    if (change.data.k === null || change.data.k.length > 0) this.emitter.emit(change.data.p, change.data.k);
  }
}

function payloadOf({ projection, cursor, keys }: Change): string {
  const full = JSON.stringify({ p: projection, c: cursor, k: [...new Set(keys)] });
  return full.length <= MAX_PAYLOAD ? full : JSON.stringify({ p: projection, c: cursor, k: null });
}
