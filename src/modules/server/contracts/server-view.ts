import type { Stage } from '../../../kernel/stage.js';

/** This server as it is shown. */
export interface ServerView {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly stage: Stage;
  /** Can others call it? */
  readonly reachable: boolean;
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly initialisedAt: Date;
  /** Null while it has its first key. */
  readonly keyRotatedAt: Date | null;
}
