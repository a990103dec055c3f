import type { Permission } from '../../kernel/permission.js';

/**
 * What is served past Nest's guards states what it needs, too, and sees to it itself: `own process` for calls between the
 * processes of one server, `stated inside` for what carries calls that state their own. `docs/reference/permissions.md`
 * lists them.
 */
export interface StatedRoute {
  readonly call: string;
  readonly need: Permission | 'public' | 'peer call' | 'own process' | 'stated inside';
}
