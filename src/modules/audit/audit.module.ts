import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { declarePermissions } from '../../kernel/access.js';
import { AuditChain } from './chain/audit-chain.js';
import { AuditChainHandler, AuditCheckpointsHandler } from './chain/audit-chain.query.js';
import { ChainSigner } from './chain/chain-signer.js';
import { ChainResolver } from './chain/chain.resolver.js';
import { AuditExport } from './export/audit-export.js';
import { ExportController } from './export/export.controller.js';
import { AuditEntryEntity } from './trail/audit-entry.entity.js';
import { AuditEntriesSinceHandler, AuditTrailHandler } from './trail/audit-trail.query.js';
import { AuditProjection } from './trail/audit.projection.js';
import { AuditResolver } from './trail/audit.resolver.js';
import { RequireKnownPartiesHandler } from './trail/known-parties.query.js';

declarePermissions({
  audit: { meaning: 'the audit trail', roles: ['auditor'], isTokenScope: true },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    audit: true;
  }
}

const auditEntities = [AuditEntryEntity];

const trailQueries = [AuditTrailHandler, AuditEntriesSinceHandler, RequireKnownPartiesHandler];
const queries = [...trailQueries, AuditChainHandler, AuditCheckpointsHandler];

/** The audit trail: who did what, when and from where, and the proof that it has not been changed since. */
@Module({
  imports: [TypeOrmModule.forFeature(auditEntities)],
  controllers: [ExportController],
  providers: [AuditProjection, ...queries, AuditResolver, ChainResolver, ChainSigner, AuditChain, AuditExport],
})
export class AuditModule {}
