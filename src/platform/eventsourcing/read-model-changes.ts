import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { PgListener } from '../runtime/pg-listener.js';

const CHANNEL = 'odst_read_model';
/** PostgreSQL takes 8,000 bytes; more keys than fit are told as "many". */
const MAX_PAYLOAD = 7_500;

const Payload = z.object({ p: z.string(), c: z.string(), k: z.array(z.string()).nullable() });

/** Rows of a read model that changed, and how far it is now. */
export interface Change {
  readonly projection: string;
  readonly cursor: string;
  readonly keys: readonly string[];
}

type KeysListener = (keys: readonly string[] | null) => void;
type CursorListener = (projection: string, cursor: string) => void;

/** Tells every process of this server which rows of which read model changed, right after the commit. */
@Injectable()
export class ReadModelChanges {
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  constructor(private readonly listener: PgListener) {
    listener.listen(CHANNEL, (payload) => this.receivePayload(payload));
  }

  /** Calls back with the ids of changed rows, or null when they are too many to name: read again what you show. */
  subscribe(projection: string, listener: KeysListener): () => void {
    const reconnected = () => listener(null);
    this.emitter.on(projection, listener);
    const stopReconnected = this.listener.onReconnect(reconnected);
    return () => {
      this.emitter.off(projection, listener);
      stopReconnected();
    };
  }

  onCursor(listener: CursorListener): () => void {
    this.emitter.on('cursor', listener);
    return () => this.emitter.off('cursor', listener);
  }

  /** Part of the projections' transaction: nobody hears of what is rolled back. */
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
