import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ScrubState } from './scrub.query.js';

/** Stores when each package was verified last and the state of the scrub, for all processes and beyond a restart. */
@Injectable()
export class ScrubRecords {
  constructor(private readonly dataSource: DataSource) {}

  /** Records that the package's file was read just now and is whole. */
  async noteVerified(packageId: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.verified_packages (package_id, verified_at) VALUES ($1, now())
       ON CONFLICT (package_id) DO UPDATE SET verified_at = excluded.verified_at`,
      [packageId],
    );
  }

  async foundDamage(): Promise<void> {
    await this.dataSource.query('UPDATE state.scrub SET damaged_found = damaged_found + 1');
  }

  async saveState(state: ScrubState, bytesPerSecond: number): Promise<void> {
    await this.dataSource.query('UPDATE state.scrub SET state = $1, bytes_per_second = $2', [state, bytesPerSecond]);
  }

  /** Records that all due files were read, and removes the records of packages that are no longer held. */
  async notePassFinished(): Promise<void> {
    await this.dataSource.query(`UPDATE state.scrub SET last_finished_at = now()`);
    await this.dataSource.query(
      `DELETE FROM state.verified_packages v WHERE NOT EXISTS (SELECT FROM packages p WHERE p.id = v.package_id AND p.held)`,
    );
  }
}
