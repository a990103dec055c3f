import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { UNKNOWN_ADDRESS } from '../../../platform/http/caller-address.js';
import { addressGroup } from '../../../platform/limits/rate-limit.js';

const REMEMBERED_FOR = '30 days';
/** Limit of addresses per account; the latest ones are kept. */
const MAX_ADDRESSES = 20;

/**
 * The addresses from which each account has signed in. The pause of a name does not apply to them, so that a stranger who
 * guesses a password elsewhere cannot lock an administrator out. An unknown address may be anybody's, and is not remembered.
 */
@Injectable()
export class KnownAddresses {
  constructor(private readonly dataSource: DataSource) {}

  async isKnown(accountId: string, address: string | null): Promise<boolean> {
    if (address === UNKNOWN_ADDRESS) return false;
    const rows: unknown[] = await this.dataSource.query(
      `SELECT 1 FROM state.sign_in_addresses
       WHERE account_id = $1 AND address = $2 AND seen_at > now() - interval '${REMEMBERED_FOR}'`,
      [accountId, addressGroup(address)],
    );
    return rows.length > 0;
  }

  async rememberAddress(accountId: string, address: string | null): Promise<void> {
    if (address === UNKNOWN_ADDRESS) return;
    await this.dataSource.query(
      `INSERT INTO state.sign_in_addresses (account_id, address) VALUES ($1, $2)
       ON CONFLICT (account_id, address) DO UPDATE SET seen_at = now()`,
      [accountId, addressGroup(address)],
    );
    await this.dataSource.query(
      `DELETE FROM state.sign_in_addresses WHERE account_id = $1 AND address IN (
         SELECT address FROM state.sign_in_addresses WHERE account_id = $1 ORDER BY seen_at DESC OFFSET ${MAX_ADDRESSES})`,
      [accountId],
    );
  }
}
