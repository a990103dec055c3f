import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Stage } from '../../../kernel/stage.js';

/**
 * How far each peer's feed has been read. What is of no use for our stage is skipped in reading, so a cursor counts
 * only as long as this server is of the stage that it was at.
 */
@Injectable()
export class FeedCursors {
  constructor(private readonly dataSource: DataSource) {}

  /** Null: read from the start. */
  async load(peerId: string, stage: Stage): Promise<string | null> {
    const rows: { cursor: string }[] = await this.dataSource.query(
      'SELECT cursor FROM state.feed_cursors WHERE peer_id = $1 AND stage = $2',
      [peerId, stage],
    );
    return rows[0]?.cursor ?? null;
  }

  async save(peerId: string, stage: Stage, cursor: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.feed_cursors (peer_id, stage, cursor) VALUES ($1, $2, $3)
       ON CONFLICT (peer_id) DO UPDATE SET stage = excluded.stage, cursor = excluded.cursor`,
      [peerId, stage, cursor],
    );
  }
}

const SAVE_CONTACT = `
INSERT INTO state.peer_contacts (peer_id, following, since, last_error, next_try_at) VALUES ($1, $2, now(), $3, $4)
ON CONFLICT (peer_id) DO UPDATE SET following = excluded.following, last_error = excluded.last_error,
  next_try_at = excluded.next_try_at,
  since = CASE WHEN peer_contacts.following = excluded.following THEN peer_contacts.since ELSE now() END`;

/** Notes for all processes whether peers can be followed. It never fails: what is not noted is seen the next time. */
@Injectable()
export class ContactRecord {
  private readonly logger = new Logger('Subscriber');

  constructor(private readonly dataSource: DataSource) {}

  following(peerId: string): Promise<void> {
    return this.saveContact([peerId, true, null, null]);
  }

  away(peerId: string, error: string, nextTryAt: Date): Promise<void> {
    return this.saveContact([peerId, false, error, nextTryAt]);
  }

  /** The peer is not followed any more. */
  async forget(peerId: string): Promise<void> {
    await this.runQuery('DELETE FROM state.peer_contacts WHERE peer_id = $1', [peerId]);
  }

  private saveContact(values: readonly unknown[]): Promise<void> {
    return this.runQuery(SAVE_CONTACT, values);
  }

  private async runQuery(sql: string, values: readonly unknown[]): Promise<void> {
    try {
      await this.dataSource.query(sql, [...values]);
    } catch (error) {
      this.logger.debug(`Cannot note how a peer is doing: ${String(error)}`);
    }
  }
}
