// What this module adds to the tables of the server: error codes, permissions, and how its events are told.
import { declarePermissions } from '../../kernel/access.js';

declarePermissions({
  audit: { meaning: 'the audit trail', roles: ['auditor'], isTokenScope: true },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    audit: true;
  }
}
