import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { Refusal } from '../../kernel/errors.js';
import type { Stage } from '../../kernel/stage.js';
import { ServerSettingsEntity } from './server-settings.entity.js';

/** This server as queries return it. */
interface ServerView {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly stage: Stage;
  /** Other servers can call it. */
  readonly reachable: boolean;
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly initialisedAt: Date;
  /** Null while the server has its first key. */
  readonly keyRotatedAt: Date | null;
}

/** The settings of this server. @throws Refusal UNAVAILABLE while it is starting */
export class ServerQuery extends Query<ServerView> {}

@QueryHandler(ServerQuery)
export class ServerHandler implements IQueryHandler<ServerQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute(): Promise<ServerView> {
    const row = await this.dataSource.createQueryBuilder(ServerSettingsEntity, 'server').getOne();
    if (!row) throw new Refusal('UNAVAILABLE', 'This server is still starting. Try again in a moment.');
    return row;
  }
}
