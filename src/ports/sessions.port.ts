import type { Actor } from '../kernel/event.js';

/** A session that was just opened. The token is told once and kept nowhere. */
export interface OpenedSession {
  /** 256 random bits, base64url. */
  readonly token: string;
  readonly expiresAt: Date;
}

/** Who is signed in. Only the SHA-256 of a token is stored. */
export abstract class Sessions {
  /** Whose token it is; null when it is unknown, closed or expired. */
  abstract authenticate(token: string): Promise<Actor | null>;
  abstract open(account: { readonly id: string; readonly name: string }): Promise<OpenedSession>;
  /** Not an error when there is no such session. */
  abstract close(token: string): Promise<void>;
}
