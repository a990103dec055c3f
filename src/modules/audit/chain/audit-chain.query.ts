import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { checkFirst } from '../../../platform/graphql/paging.js';
import { EventStore } from '../../../ports/event-store.port.js';
import type { Checkpoint } from './checkpoint.js';

/** The state of the chain, and how much of it is signed. */
interface AuditChainView {
  /** Number of linked events, which is the number of the last entry. */
  readonly entries: number;
  /** Hash of the last entry, lower-case hex. */
  readonly hash: string;
  /** Entries after the last checkpoint. */
  readonly unsigned: number;
  /** False while events of the log are not linked yet. If it stays false for more than a few seconds, the chain has stopped. */
  readonly isUpToDate: boolean;
  readonly lastCheckpoint: Checkpoint | null;
}

export class AuditChainQuery extends Query<AuditChainView> {}

/** Checkpoints before a sequence number, newest first. */
export class AuditCheckpointsQuery extends Query<readonly Checkpoint[]> {
  constructor(
    readonly first: number,
    readonly before: number | null,
  ) {
    super();
  }
}

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
