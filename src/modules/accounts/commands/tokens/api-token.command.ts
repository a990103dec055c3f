import { Command } from '@nestjs/cqrs';
import type { Permission } from '../../../../kernel/permission.js';
import type { Stage } from '../../../../kernel/stage.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';

export interface TokenToIssue {
  readonly name: string;
  readonly scopes: readonly Permission[];
  /** Null: as far as its owner may. */
  readonly publishUpTo: Stage | null;
  /** Null: in a year. */
  readonly expiresAt: Date | null;
}

export interface IssuedToken {
  readonly tokenId: string;
  readonly accountId: string;
  /** Told once. */
  readonly token: string;
  readonly receipt: Receipt;
}

/** Makes an API token of the caller. Refusals: INVALID_REQUEST, FORBIDDEN for more than the caller may do. */
export class IssueApiToken extends Command<IssuedToken> {
  constructor(readonly as: TokenToIssue) {
    super();
  }
}

/** Ends a token of the caller, or anybody's with the permission `accounts`. Refusal: TOKEN_NOT_FOUND. */
export class RevokeApiToken extends Command<Receipt> {
  constructor(readonly tokenId: string) {
    super();
  }
}
