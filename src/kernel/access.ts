import { Refusal } from './errors.js';
import { isUpTo, type Stage } from './stage.js';

/**
 * The permissions, by name. Each GraphQL field and each route says which one it needs. `own` is for everybody who is
 * signed in, about themselves: their sessions, tokens and password. `read` shows the server, packages, peers and the
 * queue. A module adds its own to this interface by declaration merging, and declares them with `declarePermissions`.
 */
export interface Permissions {
  own: true;
  read: true;
}
export type Permission = keyof Permissions;

/** The roles. An account has one or more of them. */
export const ROLES = ['viewer', 'publisher', 'operator', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (value: unknown): value is Role => ROLES.some((role) => role === value);

interface PermissionDeclaration {
  /** The description of the permission in a few words, for `docs/reference/permissions.md`. */
  readonly meaning: string;
  /** The roles that have it. The role admin has every permission. */
  readonly roles: readonly Exclude<Role, 'admin'>[];
  /** True when an API token can have it. It must not let somebody who finds a token lock its owner out. */
  readonly isTokenScope: boolean;
}

const everybody = ROLES.filter((role) => role !== 'admin');
const declared = new Map<Permission, PermissionDeclaration>();
const names: { [P in Permission]?: P } = {};

/**
 * Adds the permissions of a module. Called once for each module, when it is loaded.
 * @throws Error when a permission is declared twice
 */
export function declarePermissions(permissions: Readonly<Partial<Record<Permission, PermissionDeclaration>>>): void {
  for (const [name, declaration] of Object.entries(permissions)) {
    if (declared.has(name as Permission)) throw new Error(`The permission ${name} is declared twice.`);
    declared.set(name as Permission, declaration);
    Object.assign(names, { [name]: name });
  }
}

// All roles read: who judges an entry of the audit trail looks at the package or peer that it names.
declarePermissions({
  own: { meaning: 'oneself: sessions, tokens, password', roles: everybody, isTokenScope: false },
  read: { meaning: 'server, packages, peers, queue', roles: everybody, isTokenScope: true },
});

/** Every permission and its declaration, in the order of declaration. */
export const allPermissions = (): ReadonlyMap<Permission, PermissionDeclaration> => declared;

/** The names of all permissions, as keys and as values, also of those that are declared later. */
export const permissionNames = (): Readonly<typeof names> => names;

/** True when an API token can have this permission. */
export const isTokenScope = (permission: Permission): boolean => declared.get(permission)?.isTokenScope === true;

const permits = (role: Role, { roles }: PermissionDeclaration): boolean =>
  role === 'admin' || roles.some((one) => one === role);

/** The permissions that at least one of the roles grants, in the order of declaration. */
export const permissionsOf = (roles: readonly Role[]): readonly Permission[] =>
  [...declared].filter(([, declaration]) => roles.some((role) => permits(role, declaration))).map(([name]) => name);

/** The roles that grant a permission. */
const rolesWith = (permission: Permission): readonly Role[] =>
  ROLES.filter((role) => permissionsOf([role]).includes(permission));

/** The rights of a caller who is signed in, at the time of the call. */
export interface Authority {
  /** Name of the account, also for a call with an API token of the account. */
  readonly username: string;
  readonly permissions: readonly Permission[];
  /** The last stage to which the caller may upload and promote packages. */
  readonly publishUpTo: Stage;
  /** True when the caller may also remove or replace packages that somebody else has published. */
  readonly ofOthers: boolean;
  /** The API token of the call, and what its account may do without it. Left out for a call without a token. */
  readonly token?: { readonly name: string; readonly accountMay: readonly Permission[] };
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
  if (authority?.token?.accountMay.includes(need)) throw lacksScope(authority.token.name, need);
  const roles = rolesWith(need).join(' or ');
  throw new Refusal(
    'FORBIDDEN',
    `You may not do this: it needs the permission \`${need}\`, which the role ${roles} has.`,
    { need },
  );
}

/** The account may do it, and its token may not. */
function lacksScope(name: string, need: Permission): Refusal {
  const message = isTokenScope(need)
    ? `The API token ${name} may not do this: it lacks the scope \`${need}\`. Create a token with this scope.`
    : `API tokens may not do this: it needs the permission \`${need}\`, which no token can have. Sign in instead.`;
  return new Refusal('FORBIDDEN', message, { need, token: name });
}

/** Requires that the caller may publish in a stage. Null is the server itself, which has no limits. @throws Refusal FORBIDDEN */
export function requireStage(authority: Authority | null, stage: Stage): void {
  if (!authority || isUpTo(authority.publishUpTo, stage)) return;
  const { publishUpTo } = authority;
  const message = `You may publish up to the stage ${publishUpTo}, not in ${stage}. Ask somebody whose limit is ${stage}.`;
  throw new Refusal('FORBIDDEN', message, { publishUpTo, stage });
}
