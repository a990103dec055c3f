import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditResolver } from './api/audit.resolver.js';
import { ExportController } from './export/export.controller.js';
import { ChainResolver } from './api/chain.resolver.js';
import { AuditChain } from './chain/audit-chain.js';
import { ChainSigner } from './chain/chain-signer.js';
import { AuditExport } from './export/audit-export.js';
import { AuditProjection } from './projections/entries/audit.projection.js';
import { auditEntities } from './projections/entities.js';
import { AuditEntriesSinceHandler, AuditTrailHandler } from './queries/audit-trail.handler.js';
import { AuditChainHandler, AuditCheckpointsHandler } from './queries/chain/audit-chain.handlers.js';

const queries = [AuditTrailHandler, AuditEntriesSinceHandler, AuditChainHandler, AuditCheckpointsHandler];

/** Who did what, when and from where, and the proof that nobody has changed it since. */
@Module({
  imports: [TypeOrmModule.forFeature(auditEntities)],
  controllers: [ExportController],
  providers: [AuditProjection, ...queries, AuditResolver, ChainResolver, ChainSigner, AuditChain, AuditExport],
})
export class AuditModule {}
