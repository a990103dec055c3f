import { Refusal } from '../../../kernel/refusal.js';
import { ROLES } from '../../../kernel/role.js';
import type { Rights } from '../contracts/account.events.js';

/**
 * Each role once, in the order of ROLES, and a limit only where it counts. Directory groups may leave an account without
 * a role: it then may do nothing. @throws Refusal INVALID_REQUEST
 */
export function checkedRights({ roles, publishUpTo }: Rights, mayBeNone: boolean): Rights {
  const sorted = ROLES.filter((role) => roles.includes(role));
  if (sorted.length === 0 && !mayBeNone) throw new Refusal('INVALID_REQUEST', 'An account needs at least one role.');
  if (!sorted.includes('publisher')) return { roles: sorted, publishUpTo: null };
  if (publishUpTo === null) {
    throw new Refusal('INVALID_REQUEST', 'Say with `publishUpTo` up to which stage the publisher may publish.');
  }
  return { roles: sorted, publishUpTo };
}
