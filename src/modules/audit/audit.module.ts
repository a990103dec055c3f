import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditResolver } from './api/audit.resolver.js';
import { AuditProjection } from './projections/entries/audit.projection.js';
import { auditEntities } from './projections/entities.js';
import { AuditEntriesSinceHandler, AuditTrailHandler } from './queries/audit-trail.handler.js';

/** Who did what, when and from where. */
@Module({
  imports: [TypeOrmModule.forFeature(auditEntities)],
  providers: [AuditProjection, AuditTrailHandler, AuditEntriesSinceHandler, AuditResolver],
})
export class AuditModule {}
