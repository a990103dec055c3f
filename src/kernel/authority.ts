import type { Permission } from './permission.js';
import { Refusal } from './refusal.js';
import { permissionsOf, rolesWith, type Role } from './role.js';
import { isUpTo, type Stage } from './stage.js';

/** What somebody who is signed in may do, at the time of the call. */
export interface Authority {
  /** Name of their account, also when they show a token of it. */
  readonly username: string;
  readonly permissions: readonly Permission[];
  /** The last stage to which they upload and promote. */
  readonly publishUpTo: Stage;
  /** May they change, by removing or uploading again, what somebody else has published? */
  readonly ofOthers: boolean;
}

/** The authority of an account: an admin has no limits, whatever else they are. */
export function authorityOf(username: string, roles: readonly Role[], publishUpTo: Stage | null): Authority {
  const isAdmin = roles.includes('admin');
  return {
    username,
    permissions: permissionsOf(roles),
    publishUpTo: isAdmin ? 'Prod' : (publishUpTo ?? 'Dev'),
    ofOthers: isAdmin,
  };
}

/** @throws Refusal FORBIDDEN that names what is needed */
export function requirePermission(authority: Authority | null, need: Permission): void {
  if (authority?.permissions.includes(need)) return;
  const roles = rolesWith(need).join(' or ');
  throw new Refusal(
    'FORBIDDEN',
    `You may not do this: it needs the permission \`${need}\`, which the role ${roles} has.`,
    { need },
  );
}

/** Null stands for the server itself, which has no limits. @throws Refusal FORBIDDEN */
export function requireStage(authority: Authority | null, stage: Stage): void {
  if (!authority || isUpTo(authority.publishUpTo, stage)) return;
  const { publishUpTo } = authority;
  const message = `You may publish up to the stage ${publishUpTo}, not in ${stage}. Ask somebody whose limit is ${stage}.`;
  throw new Refusal('FORBIDDEN', message, { publishUpTo, stage });
}
