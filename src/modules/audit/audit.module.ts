import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditChain } from './chain/audit-chain.js';
import { AuditChainHandler, AuditCheckpointsHandler } from './chain/audit-chain.query.js';
import { ChainSigner } from './chain/chain-signer.js';
import { ChainResolver } from './chain/chain.resolver.js';
import { AuditExport } from './export/audit-export.js';
import { ExportController } from './export/export.controller.js';
import { AuditEntryEntity } from './trail/audit-entry.entity.js';
import { AuditEntriesSinceHandler, AuditTrailHandler } from './trail/audit-trail.handler.js';
import { AuditProjection } from './trail/audit.projection.js';
import { AuditResolver } from './trail/audit.resolver.js';
import './audit.declarations.js';

const auditEntities = [AuditEntryEntity];

const queries = [AuditTrailHandler, AuditEntriesSinceHandler, AuditChainHandler, AuditCheckpointsHandler];

/** Who did what, when and from where, and the proof that nobody has changed it since. */
@Module({
  imports: [TypeOrmModule.forFeature(auditEntities)],
  controllers: [ExportController],
  providers: [AuditProjection, ...queries, AuditResolver, ChainResolver, ChainSigner, AuditChain, AuditExport],
})
export class AuditModule {}
