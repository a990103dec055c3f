import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { Refusal } from '../../../kernel/refusal.js';
import type { ServerView } from '../contracts/server-view.js';
import { ServerSettingsEntity } from '../projections/settings/server-settings.entity.js';
import { ServerQuery } from './server.query.js';

@QueryHandler(ServerQuery)
export class ServerHandler implements IQueryHandler<ServerQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute(): Promise<ServerView> {
    const row = await this.dataSource.createQueryBuilder(ServerSettingsEntity, 'server').getOne();
    if (!row) throw new Refusal('UNAVAILABLE', 'This server is still starting. Try again in a moment.');
    return row;
  }
}
