import type { Permission } from '../kernel/permission.js';

/** A call that somebody who is signed in was not allowed to make. */
export interface RefusedCall {
  readonly accountId: string;
  readonly username: string;
  /** Null when it states none. */
  readonly need: Permission | null;
  /** Such as `mutation createAccount` or `PUT /api/packages/a.pkg`, cut to 200 characters. */
  readonly call: string;
}

/** Puts refused calls on record. */
export abstract class RefusedCalls {
  /** Never throws: a refusal stands also when it can't be recorded. */
  abstract note(call: RefusedCall): Promise<void>;
}
