import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** The PostgreSQL channel on which every change is notified. */
export const TUNNELS_CHANNEL = 'odst_tunnels';
/** A process that has not refreshed its rows for this long is considered gone. */
const STALE_AFTER_S = 15;
/** For this long after its last tunnel ended, a peer is expected to open a new one. */
const REMEMBERED_FOR = '10 minutes';

/** A process of this server, and the addresses at which it answers HTTP. */
export interface TunnelProcess {
  readonly processId: string;
  /** IP addresses. Some of them may be unreachable. */
  readonly addresses: readonly string[];
  readonly port: number;
}

/** The tunnels of one peer that end in one process. */
export interface TunnelRow extends TunnelProcess {
  readonly peerId: string;
  /** Number of open tunnels; 0 when the process is gone. */
  readonly open: number;
}

/** The table `state.peer_tunnels`, through which the processes of this server know of each other's tunnels. */
@Injectable()
export class TunnelTable {
  constructor(private readonly dataSource: DataSource) {}

  /** Rows that are recent enough to matter, the most recent first. */
  async listRows(): Promise<readonly TunnelRow[]> {
    return this.dataSource.query(
      `SELECT peer_id AS "peerId", process_id AS "processId", addresses, port,
         CASE WHEN seen_at > now() - interval '${STALE_AFTER_S} seconds' THEN open ELSE 0 END AS open
       FROM state.peer_tunnels WHERE seen_at > now() - interval '${REMEMBERED_FOR}' ORDER BY seen_at DESC`,
    );
  }

  /** Saves how many tunnels of a peer are open in a process (0 when the last one has ended) and notifies the other processes. */
  async saveCount(peerId: string, { processId, addresses, port }: TunnelProcess, open: number): Promise<void> {
    await this.dataSource.query(
      `WITH noted AS (
         INSERT INTO state.peer_tunnels (peer_id, process_id, addresses, port, open, seen_at) VALUES ($1, $2, $3, $4, $5, now())
         ON CONFLICT (peer_id, process_id) DO UPDATE
           SET addresses = excluded.addresses, port = excluded.port, open = excluded.open, seen_at = now())
       SELECT pg_notify('${TUNNELS_CHANNEL}', '')`,
      [peerId, processId, addresses, port, open],
    );
  }

  /** Deletes the rows of a peer that is not expected to open tunnels: it is reachable now, or it is no longer a peer. */
  async forgetPeer(peerId: string): Promise<void> {
    await this.dataSource.query(
      `WITH forgotten AS (DELETE FROM state.peer_tunnels WHERE peer_id = $1) SELECT pg_notify('${TUNNELS_CHANNEL}', '')`,
      [peerId],
    );
  }

  /** Deletes the rows that are too old to matter. */
  async deleteOldRows(): Promise<void> {
    await this.dataSource.query(`DELETE FROM state.peer_tunnels WHERE seen_at < now() - interval '${REMEMBERED_FOR}'`);
  }
}
