import { PERMISSIONS, type Permission } from './permission.js';

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

/** All that any of these roles permits, in the order of PERMISSIONS. */
export const permissionsOf = (roles: readonly Role[]): readonly Permission[] =>
  PERMISSIONS.filter((permission) => roles.some((role) => ROLE_PERMISSIONS[role].includes(permission)));

/** The names of the roles that permit it. */
export const rolesWith = (permission: Permission): readonly Role[] =>
  ROLES.filter((role) => ROLE_PERMISSIONS[role].includes(permission));
