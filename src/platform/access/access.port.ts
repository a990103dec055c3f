import type { Authority, Permission } from '../../kernel/access.js';
import type { Actor } from '../../kernel/events.js';

/** The account that a token authenticates, and what its holder may do now. */
export interface Principal {
  readonly actor: Actor;
  readonly accountId: string;
  readonly authority: Authority;
  /** The id of the session or of the API token that authenticated the call. */
  readonly proof: { readonly kind: 'session' | 'token'; readonly id: string };
  /** When the session or token ends at the latest. */
  readonly expiresAt: Date;
  /** True while the password is a one-time password. The account must change it before it can do anything else. */
  readonly mustChangePassword: boolean;
}

/** The origin of a call, as the list of sessions and tokens shows it. */
export interface CallOrigin {
  /** IP address. Null when it is not known. */
  readonly address: string | null;
}

/** Finds the principal that belongs to a session token or an API token. */
export abstract class Principals {
  /**
   * Returns the principal of a token. Returns null when the token is unknown, closed or expired, or when its account is
   * disabled. The call counts as a use of the session or token only when an origin is given.
   * @throws Refusal TOKEN_EXPIRED for an API token that was valid once
   */
  abstract authenticate(token: string, origin: CallOrigin | null): Promise<Principal | null>;

  /**
   * Returns what a principal may do now, so that a long operation can check this again before it ends. Returns null
   * when the account was disabled, or the session or token was revoked, since the operation began. A session or token
   * that has only expired still counts.
   */
  abstract authorityNow(principal: Principal): Promise<Authority | null>;

  /**
   * Calls `listener` with the id of each account whose rights, sessions or tokens change, in any process of this
   * server. Returns a function that ends this.
   */
  abstract onChange(listener: (accountId: string) => void): () => void;
}

/** A call that was refused because the signed-in caller may not make it. */
export interface RefusedCall {
  readonly accountId: string;
  readonly username: string;
  /** The permission that the call needs. Null when the route or field states none. */
  readonly need: Permission | null;
  /** The first 200 characters of the call, such as `mutation createAccount` or `PUT /api/packages/a.pkg`. */
  readonly call: string;
}

/** Records refused calls in the log. */
export abstract class RefusedCalls {
  /** Records a refused call. It never throws, because the call stays refused even when it cannot be recorded. */
  abstract note(call: RefusedCall): Promise<void>;
}
