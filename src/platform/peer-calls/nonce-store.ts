import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';

const PURGE_INTERVAL_MS = 60_000;

/** Nonces of verified calls, remembered until their signatures have expired: also by the next process. */
@Injectable()
export class NonceStore {
  private readonly logger = new Logger('Nonces');
  private purgeAt = Date.now() + PURGE_INTERVAL_MS;

  constructor(private readonly dataSource: DataSource) {}

  /**
   * False when the nonce was used before. `durable` waits for the disk; without it, a power cut may forget the nonces
   * of the last half second, which is enough where a repeated call changes nothing.
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

  /** Forgets nonces whose signatures nobody can use any more. */
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
