import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { serverEntities } from './projections/entities.js';
import { ServerSettingsProjection } from './projections/settings/server-settings.projection.js';
import { ServerHandler } from './queries/server.handler.js';

/** What can be asked about this server. */
@Module({ imports: [TypeOrmModule.forFeature(serverEntities)], providers: [ServerSettingsProjection, ServerHandler] })
export class ServerReadModule {}
