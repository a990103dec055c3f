import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';

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
