import { Injectable } from '@nestjs/common';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { DataSource } from 'typeorm';
import type { PeerItem } from './feed-item.js';

const NOTE_ITEM = `
INSERT INTO state.refused_items
  (peer_id, package_id, stage, stage_stamp, publication, removal, first_published_at, held)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (peer_id, package_id) DO UPDATE SET stage = excluded.stage, stage_stamp = excluded.stage_stamp,
  publication = excluded.publication, removal = excluded.removal, first_published_at = excluded.first_published_at,
  held = excluded.held, noted_at = now()`;

/**
 * What `ItemHandler` needs to remember what this server does not accept because the rights of a server do not allow it.
 * The comparison with the peer that told it takes the two for equal, since that difference is wanted.
 */
export abstract class RefusedItems {
  /** Records what the peer tells of a package now. It counts until this server knows the same or something later. */
  abstract note(peerId: string, item: Pick<PeerItem, 'facts' | 'held'>): Promise<void>;
}

/** Keeps in the database what this server refuses of its peers, and what they refuse of this server. */
@Injectable()
export class RecordedRefusals extends RefusedItems {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  override async note(peerId: string, { facts, held }: Pick<PeerItem, 'facts' | 'held'>): Promise<void> {
    const { packageId, stage, stageStamp, publication, removal, firstPublishedAt } = facts;
    const registers = [stage, stageStamp, publication, removal, firstPublishedAt];
    await this.dataSource.query(NOTE_ITEM, [peerId, packageId, ...registers, held !== null]);
  }

  /** Forgets what was refused, so that the next comparisons find it and it is judged again. */
  async forgetAll(): Promise<void> {
    await this.dataSource.query('DELETE FROM state.refused_items');
  }

  /**
   * Forgets what of this peer was refused long ago. Not only rights decide: a filename may have become free since. And if
   * the end of a process has kept `forgetAll` from its work, this mends it.
   */
  async forgetOld(peerId: string): Promise<void> {
    const old = `noted_at < now() - interval '1 day'`;
    await this.dataSource.query(`DELETE FROM state.refused_items WHERE peer_id = $1 AND ${old}`, [peerId]);
  }

  /** The ids of our packages that the peer refuses, ordered, as it told at the last comparison. */
  async findRefusedByPeer(peerId: string): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      'SELECT package_id AS id FROM state.refused_by_peers WHERE peer_id = $1 ORDER BY package_id',
      [peerId],
    );
    return rows.map(({ id }) => id);
  }

  /** Records which of our packages the peer refuses, all of them. */
  async noteRefusedByPeer(peerId: string, packageIds: readonly string[]): Promise<void> {
    await this.dataSource.transaction(async (tx) => {
      await tx.query('DELETE FROM state.refused_by_peers WHERE peer_id = $1 AND package_id <> ALL ($2)', [
        peerId,
        packageIds,
      ]);
      await tx.query(
        `INSERT INTO state.refused_by_peers (peer_id, package_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`,
        [peerId, packageIds],
      );
    });
  }
}

/** The events after which other rights count than before. */
export const RIGHTS_EVENTS = ['PeerRightsChanged', 'PeerRegistered', 'PeerUnregistered'] as const;

/** After a change of rights, what was refused before is judged again. `FeedFollowers` begins the comparisons. */
@AsReaction()
@Injectable()
export class JudgeAgainAfterRights implements Reaction {
  readonly name = 'replication:judge-again-after-rights';
  readonly eventTypes = RIGHTS_EVENTS;

  constructor(private readonly refusals: RecordedRefusals) {}

  async react(): Promise<void> {
    await this.refusals.forgetAll();
  }
}
