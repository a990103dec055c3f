import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { pause } from '../../../kernel/retry.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { Sources, type SourceStatus } from './sources.js';

const REPORT_INTERVAL_MS = 1_000;

const SAVE_TRANSFERS = `
INSERT INTO state.transfers (process_id, package_id, peer_id, bytes_per_second, last_error, next_try_at)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[])
ON CONFLICT (package_id, peer_id, process_id) DO UPDATE SET bytes_per_second = excluded.bytes_per_second,
  last_error = excluded.last_error, next_try_at = excluded.next_try_at, seen_at = now()`;

/** Shows all processes of this server the transfers of this process, once a second while there are any. */
@AsBackgroundTask({ name: 'transfer report', phase: 'maintain', roles: ['all', 'worker'] })
@Injectable()
export class TransferReport implements BackgroundTask {
  private readonly logger = new Logger('Transfers');
  private readonly processId = randomUUID();
  private reported: string = '[]';

  constructor(
    private readonly sources: Sources,
    private readonly dataSource: DataSource,
  ) {}

  /** Removes reports that are more than an hour old. */
  async start(): Promise<void> {
    await this.dataSource.query(`DELETE FROM state.transfers WHERE seen_at < now() - interval '1 h'`);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(REPORT_INTERVAL_MS, [signal]);
      if (signal.aborted) return;
      await this.reportTransfers();
    }
  }

  private async reportTransfers(): Promise<void> {
    const snapshot = this.sources.describeSources();
    const now = JSON.stringify(snapshot);
    if (now === this.reported && snapshot.every(({ active }) => active === 0)) return;
    try {
      if (snapshot.length > 0) await this.saveTransfers(snapshot);
      this.reported = now;
    } catch (error) {
      this.logger.debug(`Cannot save the state of transfers: ${String(error)}`);
    }
  }

  private async saveTransfers(snapshot: readonly SourceStatus[]): Promise<void> {
    await this.dataSource.query(SAVE_TRANSFERS, [
      this.processId,
      snapshot.map(({ packageId }) => packageId),
      snapshot.map(({ peerId }) => peerId),
      snapshot.map(({ rate }) => rate),
      snapshot.map(({ lastError }) => lastError),
      snapshot.map(({ nextTry }) => nextTry),
    ]);
  }
}
