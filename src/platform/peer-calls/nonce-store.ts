import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Interval at which expired nonces are deleted. */
const PURGE_INTERVAL_MS = 60_000;

/**
 * The nonces of verified calls. They are kept in the database until their signatures have expired, so all processes of
 * the server know them, also after a restart.
 */
@Injectable()
export class NonceStore {
  private readonly logger = new Logger('Nonces');
  private purgeAt = Date.now() + PURGE_INTERVAL_MS;

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Records a nonce. Returns false when it was used before. With `durable`, it waits until the nonce is on disk.
   * Without it, a power failure may lose the nonces of the last half second, which does no harm where a repeated call
   * changes nothing.
   * @param expires is the time until which the nonce is kept
   */
  async rememberNonce(keyId: string, nonce: string, expires: Date, durable: boolean): Promise<boolean> {
    this.purgeWhenDue();
    const rows: unknown[] = await this.dataSource.query(
      `WITH durability AS (SELECT set_config('synchronous_commit', $4, true))
       INSERT INTO state.peer_nonces (key_id, nonce, expires_at) SELECT $1, $2, $3 FROM durability
       ON CONFLICT DO NOTHING RETURNING 1`,
      [keyId, nonce, expires, durable ? 'on' : 'off'],
    );
    return rows.length === 1;
  }

  /** Deletes the nonces whose signatures have expired. */
  async purgeExpired(): Promise<void> {
    await this.dataSource.query('DELETE FROM state.peer_nonces WHERE expires_at < now()');
  }

  private purgeWhenDue(): void {
    if (Date.now() < this.purgeAt) return;
    this.purgeAt = Date.now() + PURGE_INTERVAL_MS;
    this.purgeExpired().catch((error: unknown) =>
      this.logger.warn(`Old nonces could not be removed: ${String(error)}`),
    );
  }
}
