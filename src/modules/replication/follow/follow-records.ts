import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { streamOf } from '../../../kernel/decider.js';
import type { Stage } from '../../../kernel/stage.js';
import { RunningProcesses } from '../../../platform/jobs/running-processes.js';
import { readerOf, UnprocessableEvents } from '../../../platform/failures/unprocessable-events.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';

/**
 * The place up to which each peer's feed has been read. Reading skips the items that our stage does not accept, so a
 * cursor counts only while this server has the stage with which it was saved.
 */
@Injectable()
export class FeedCursors {
  constructor(private readonly dataSource: DataSource) {}

  /** The saved place; null to read the feed from the start. */
  async loadCursor(peerId: string, stage: Stage): Promise<string | null> {
    const rows: { cursor: string }[] = await this.dataSource.query(
      'SELECT cursor FROM state.feed_cursors WHERE peer_id = $1 AND stage = $2',
      [peerId, stage],
    );
    return rows[0]?.cursor ?? null;
  }

  async saveCursor(peerId: string, stage: Stage, cursor: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.feed_cursors (peer_id, stage, cursor) VALUES ($1, $2, $3)
       ON CONFLICT (peer_id) DO UPDATE SET stage = excluded.stage, cursor = excluded.cursor`,
      [peerId, stage, cursor],
    );
  }
}

const SAVE_CONTACT = `
INSERT INTO state.peer_contacts (peer_id, following, since, last_error, next_try_at, process_id)
VALUES ($1, $2, now(), $3, $4, $5)
ON CONFLICT (peer_id) DO UPDATE SET following = excluded.following, last_error = excluded.last_error,
  next_try_at = excluded.next_try_at, process_id = excluded.process_id,
  since = CASE WHEN peer_contacts.following = excluded.following AND peer_contacts.process_id = excluded.process_id
    THEN peer_contacts.since ELSE now() END`;

/** Records for all processes whether peers can be followed. Its methods never fail: a lost record is replaced by the next one. */
@Injectable()
export class ContactRecord {
  private readonly logger = new Logger('Subscriber');

  constructor(
    private readonly dataSource: DataSource,
    private readonly processes: RunningProcesses,
  ) {}

  following(peerId: string): Promise<void> {
    return this.saveContact([peerId, true, null, null]);
  }

  away(peerId: string, error: string, nextTryAt: Date): Promise<void> {
    return this.saveContact([peerId, false, error, nextTryAt]);
  }

  /** Removes the record of a peer that is no longer followed. */
  async removeRecord(peerId: string): Promise<void> {
    await this.runQuery('DELETE FROM state.peer_contacts WHERE peer_id = $1', [peerId]);
  }

  private saveContact(values: readonly unknown[]): Promise<void> {
    return this.runQuery(SAVE_CONTACT, [...values, this.processes.id]);
  }

  private async runQuery(sql: string, values: readonly unknown[]): Promise<void> {
    try {
      await this.dataSource.query(sql, [...values]);
    } catch (error) {
      this.logger.debug(`Cannot record whether a peer is followed: ${String(error)}`);
    }
  }
}

/** Keeps the stage that each peer told last, when it was compared with this server or compared itself. */
@Injectable()
export class PeerStages {
  constructor(private readonly dataSource: DataSource) {}

  async noteStage(peerId: string, stage: Stage): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.peer_stages (peer_id, stage, told_at) VALUES ($1, $2, now())
       ON CONFLICT (peer_id) DO UPDATE SET stage = excluded.stage, told_at = excluded.told_at`,
      [peerId, stage],
    );
  }
}

/** The most failures that are recorded for the feed of one peer. The log tells all of them. */
const MAX_FAILED_ITEMS = 1_000;

/** What `ItemHandler` needs to record the items of peers that this server cannot use. */
export abstract class ItemFailures {
  /** Records that an item cannot be used. `id` is the id of its package, or of the message when that is not known. */
  abstract note(peer: PeerContact, id: string, error: unknown): Promise<void>;
  /** Records that the item of a package was used. */
  abstract noteUsed(peer: PeerContact, packageId: string): Promise<void>;
}

/** Keeps the record among the unprocessable events, one entry for each peer and package. */
@Injectable()
export class RecordedItemFailures extends ItemFailures {
  /** The ids of the recorded failures of each reader. */
  private readonly failed = new Map<string, Set<string>>();

  constructor(private readonly events: UnprocessableEvents) {
    super();
  }

  async note({ peerId }: PeerContact, id: string, error: unknown): Promise<void> {
    const reader = readerOf.feedOfPeer(peerId);
    const failed = await this.failedOf(reader);
    if (failed.size >= MAX_FAILED_ITEMS && !failed.has(id)) return;
    const record = { id, type: 'FeedItem', stream: streamOf('package', id), revision: null };
    await this.events.note({ reader, record, error });
    failed.add(id);
  }

  async noteUsed({ peerId }: PeerContact, packageId: string): Promise<void> {
    const reader = readerOf.feedOfPeer(peerId);
    const failed = await this.failedOf(reader);
    if (!failed.has(packageId)) return;
    await this.events.noteProcessed(reader, [packageId]);
    failed.delete(packageId);
  }

  private async failedOf(reader: string): Promise<Set<string>> {
    const known = this.failed.get(reader);
    if (known) return known;
    const failed = new Set((await this.events.findOf(reader)).map(({ eventId }) => eventId));
    this.failed.set(reader, failed);
    return failed;
  }
}
