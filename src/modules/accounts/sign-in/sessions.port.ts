/** A session that was just opened. The token is told once and kept nowhere. */
export interface OpenedSession {
  readonly id: string;
  /** 256 random bits, base64url. */
  readonly token: string;
  /** At the latest; it ends earlier when it is not used for two hours. */
  readonly expiresAt: Date;
}

/** A session that is open now. */
export interface ListedSession {
  readonly id: string;
  readonly accountId: string;
  readonly openedAt: Date;
  /** To the minute. */
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
  /** Where it was opened. */
  readonly address: string | null;
  readonly userAgent: string | null;
}

export interface SessionOpening {
  readonly address: string | null;
  /** The header `User-Agent`; cut to 300 characters. */
  readonly userAgent: string | null;
}

/** Who is signed in. Only the SHA-256 of a token is stored. */
export abstract class Sessions {
  abstract openSession(accountId: string, from: SessionOpening): Promise<OpenedSession>;
  abstract findSession(id: string): Promise<ListedSession | null>;
  /** Those that are neither closed nor expired, the last used first; at most 200. */
  abstract listSessions(accountId: string): Promise<readonly ListedSession[]>;
  /** Ids of the accounts that have a session which is neither closed nor expired. */
  abstract listAccountsWithSessions(): Promise<readonly string[]>;
  /** Not an error when there is no such session. */
  abstract closeSession(id: string): Promise<void>;
  /** All of an account, but for one. Resolves with how many there were. */
  abstract closeSessionsOf(accountId: string, except?: string | null): Promise<number>;
}
