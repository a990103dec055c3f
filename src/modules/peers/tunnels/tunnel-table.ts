import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Told of every change. */
export const TUNNELS_CHANNEL = 'odst_tunnels';
/** A process that has not written its rows anew for this long is gone. */
const STALE_AFTER_S = 15;
/** So long after its last tunnel a peer counts as one that has to be waited for. */
const REMEMBERED_FOR = '10 minutes';

/** A process of this server, and where it answers HTTP. */
export interface TunnelProcess {
  readonly processId: string;
  /** IP addresses, any of which may be out of reach. */
  readonly addresses: readonly string[];
  readonly port: number;
}

/** What one process has of one peer's tunnels. */
export interface TunnelRow extends TunnelProcess {
  readonly peerId: string;
  /** How many are open; 0 when the process is gone. */
  readonly open: number;
}

/** Table `state.peer_tunnels`: for the other processes of this server, and for a while afterwards. */
@Injectable()
export class TunnelTable {
  constructor(private readonly dataSource: DataSource) {}

  async listRows(): Promise<readonly TunnelRow[]> {
    return this.dataSource.query(
      `SELECT peer_id AS "peerId", process_id AS "processId", addresses, port,
         CASE WHEN seen_at > now() - interval '${STALE_AFTER_S} seconds' THEN open ELSE 0 END AS open
       FROM state.peer_tunnels WHERE seen_at > now() - interval '${REMEMBERED_FOR}' ORDER BY seen_at DESC`,
    );
  }

  /** Tells how many tunnels of a peer are open in a process, also that none is any more; the others hear of it at once. */
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

  /** The peer need not be waited for: it said that it can be called, or is not a peer any more. */
  async forgetPeer(peerId: string): Promise<void> {
    await this.dataSource.query(
      `WITH forgotten AS (DELETE FROM state.peer_tunnels WHERE peer_id = $1) SELECT pg_notify('${TUNNELS_CHANNEL}', '')`,
      [peerId],
    );
  }

  /** Clears away what nobody remembers. */
  async deleteOldRows(): Promise<void> {
    await this.dataSource.query(`DELETE FROM state.peer_tunnels WHERE seen_at < now() - interval '${REMEMBERED_FOR}'`);
  }
}
