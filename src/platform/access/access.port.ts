import type { Authority, Permission } from '../../kernel/access.js';
import type { Actor } from '../../kernel/events.js';

/** Who is signed in by a token, and what that lets them do now. */
export interface Principal {
  readonly actor: Actor;
  readonly accountId: string;
  readonly authority: Authority;
  /** What they have shown: the id of a session or of an API token. */
  readonly proof: { readonly kind: 'session' | 'token'; readonly id: string };
  /** Until it is changed, nothing else is possible. */
  readonly mustChangePassword: boolean;
}

/** Where a call comes from, as sessions and tokens show it. */
export interface CallOrigin {
  /** IP address. */
  readonly address: string | null;
}

/** Turns the token of a session or an API token into who shows it. */
export abstract class Principals {
  /**
   * Null when it is unknown, closed or expired, and when its account is disabled. Without an origin the call does not
   * count as a use. @throws Refusal TOKEN_EXPIRED for an API token that was valid once
   */
  abstract authenticate(token: string, origin: CallOrigin | null): Promise<Principal | null>;

  /**
   * What they may do now, to go on with what they have begun: null when somebody has disabled the account or revoked the
   * proof meanwhile. Expiry does not count.
   */
  abstract authorityNow(principal: Principal): Promise<Authority | null>;

  /** Calls back with the id of an account whose rights, sessions or tokens have changed, in whichever process. */
  abstract onChange(listener: (accountId: string) => void): () => void;
}

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
