/**
 * What a call may need. A role grants some of them; each GraphQL field and each route says which one it needs.
 *
 * - `own`: whoever is signed in, about themselves: their sessions, tokens and password
 * - `read`: the server, packages, peers and queues
 * - `upload`, `promote`, `remove`: packages, within the limits of the caller's role or token
 * - `peers`: invite, accept, change, suspend, unregister
 * - `retry`: failed replicas and jobs
 * - `server`: settings and keys of this server
 * - `accounts`: other people's accounts, sessions and tokens
 * - `audit`: read, export and verify the audit trail
 */
export const PERMISSIONS = [
  'own',
  'read',
  'upload',
  'promote',
  'remove',
  'peers',
  'retry',
  'server',
  'accounts',
  'audit',
] as const;

export type Permission = (typeof PERMISSIONS)[number];
