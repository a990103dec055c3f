import { Injectable } from '@nestjs/common';
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
