import { AuditEntryEntity } from './entries/audit-entry.entity.js';

export const auditEntities = [AuditEntryEntity];
