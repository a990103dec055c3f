import { Refusal } from './errors.js';
import { isUpTo, type Stage } from './stage.js';

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

/** What an account may be here; it has one or more of them. */
export const ROLES = ['viewer', 'publisher', 'operator', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (value: unknown): value is Role => ROLES.some((role) => role === value);

/**
 * What each role permits: the one place that says so. All of them read: who judges an entry of the audit trail looks at
 * the package or peer that it names.
 */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['own', 'read'],
  publisher: ['own', 'read', 'upload', 'promote', 'remove'],
  operator: ['own', 'read', 'peers', 'retry'],
  auditor: ['own', 'read', 'audit'],
  admin: PERMISSIONS,
};

/** The permissions that at least one of the roles grants, in the order of PERMISSIONS. */
export const permissionsOf = (roles: readonly Role[]): readonly Permission[] =>
  PERMISSIONS.filter((permission) => roles.some((role) => ROLE_PERMISSIONS[role].includes(permission)));

/** The roles that grant a permission. */
const rolesWith = (permission: Permission): readonly Role[] =>
  ROLES.filter((role) => ROLE_PERMISSIONS[role].includes(permission));

/** What a caller who is signed in may do at the time of the call. */
export interface Authority {
  /** Name of the account, also for a call with an API token of the account. */
  readonly username: string;
  readonly permissions: readonly Permission[];
  /** The last stage to which the caller may upload and promote packages. */
  readonly publishUpTo: Stage;
  /** Whether the caller may also remove or replace packages that somebody else has published. */
  readonly ofOthers: boolean;
}

/** The authority of an account. The role admin has no limits, whatever the other roles are. */
export function authorityOf(username: string, roles: readonly Role[], publishUpTo: Stage | null): Authority {
  const isAdmin = roles.includes('admin');
  return {
    username,
    permissions: permissionsOf(roles),
    publishUpTo: isAdmin ? 'Prod' : (publishUpTo ?? 'Dev'),
    ofOthers: isAdmin,
  };
}

/** Requires that the caller has a permission. @throws Refusal FORBIDDEN, which names the permission and the roles that grant it */
export function requirePermission(authority: Authority | null, need: Permission): void {
  if (authority?.permissions.includes(need)) return;
  const roles = rolesWith(need).join(' or ');
  throw new Refusal(
    'FORBIDDEN',
    `You may not do this: it needs the permission \`${need}\`, which the role ${roles} has.`,
    { need },
  );
}

/** Requires that the caller may publish in a stage. Null is the server itself, which has no limits. @throws Refusal FORBIDDEN */
export function requireStage(authority: Authority | null, stage: Stage): void {
  if (!authority || isUpTo(authority.publishUpTo, stage)) return;
  const { publishUpTo } = authority;
  const message = `You may publish up to the stage ${publishUpTo}, not in ${stage}. Ask somebody whose limit is ${stage}.`;
  throw new Refusal('FORBIDDEN', message, { publishUpTo, stage });
}
