import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { checkFirst } from '../../../../platform/paging/page.js';
import { EventStore } from '../../../../ports/event-store.port.js';
import type { Checkpoint } from '../../contracts/checkpoint.js';
import { AuditChainQuery, AuditCheckpointsQuery, type AuditChainView } from './audit-chain.query.js';

const SELECT_END = `SELECT c.number, encode(c.hash, 'hex') AS hash, p.epoch, p.cursor FROM audit.chain c
  LEFT JOIN audit.place p ON true ORDER BY c.number DESC LIMIT 1`;
const SELECT_CHECKPOINTS = `SELECT checkpoint FROM audit.checkpoints WHERE $1::bigint IS NULL OR sequence < $1 ORDER BY sequence DESC LIMIT $2`;
const NO_HASH = '0'.repeat(64);

async function readCheckpoints(dataSource: DataSource, before: number | null, count: number): Promise<Checkpoint[]> {
  const rows: { checkpoint: Checkpoint }[] = await dataSource.query(SELECT_CHECKPOINTS, [before, count]);
  return rows.map(({ checkpoint }) => checkpoint);
}

@QueryHandler(AuditChainQuery)
export class AuditChainHandler implements IQueryHandler<AuditChainQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: EventStore,
  ) {}

  async execute(): Promise<AuditChainView> {
    const [head, epoch] = await Promise.all([this.store.head(), this.store.epoch()]);
    const rows: { number: string; hash: string; epoch: string | null; cursor: string | null }[] =
      await this.dataSource.query(SELECT_END);
    const [end] = rows;
    const [lastCheckpoint = null] = await readCheckpoints(this.dataSource, null, 1);
    const entries = Number(end?.number ?? 0);
    const isUpToDate = (end?.epoch ?? null) === epoch && this.store.compareCursors(end?.cursor ?? null, head) >= 0;
    return {
      entries,
      hash: end?.hash ?? NO_HASH,
      unsigned: entries - (lastCheckpoint?.number ?? 0),
      isUpToDate,
      lastCheckpoint,
    };
  }
}

@QueryHandler(AuditCheckpointsQuery)
export class AuditCheckpointsHandler implements IQueryHandler<AuditCheckpointsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ first, before }: AuditCheckpointsQuery): Promise<readonly Checkpoint[]> {
    return readCheckpoints(this.dataSource, before, checkFirst(first));
  }
}
