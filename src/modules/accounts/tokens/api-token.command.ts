import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Permission } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { newId } from '../../../platform/runtime/ids.js';
import { AccountChanges } from '../accounts/account-changes.js';
import { MAX_TOKEN_LIFETIME_MS } from './api-token.decider.js';
import { newApiToken } from './token-format.js';
import { TokenStore } from './token-store.js';

interface TokenToIssue {
  readonly name: string;
  readonly scopes: readonly Permission[];
  /** The last stage to which the token may publish; null for the limit of its owner. */
  readonly publishUpTo: Stage | null;
  /** Null for the longest possible time. */
  readonly expiresAt: Date | null;
}

interface IssuedToken {
  readonly tokenId: string;
  readonly accountId: string;
  /** The token itself, which is returned only once. */
  readonly token: string;
  readonly receipt: Receipt;
}

/** Issues an API token for the caller. Refusals: INVALID_REQUEST; FORBIDDEN when the token could do more than the caller. */
export class IssueApiToken extends Command<IssuedToken> {
  constructor(readonly as: TokenToIssue) {
    super();
  }
}

/** Revokes a token of the caller, or with the permission `accounts` any token. Refusal: TOKEN_NOT_FOUND. */
export class RevokeApiToken extends Command<Receipt> {
  constructor(readonly tokenId: string) {
    super();
  }
}

/** The hash is saved before the event that makes it valid, so that a crash in between leaves a hash that is not accepted. */
@CommandHandler(IssueApiToken)
export class IssueApiTokenHandler implements ICommandHandler<IssueApiToken> {
  constructor(
    private readonly tokens: TokenStore,
    private readonly changes: AccountChanges,
  ) {}

  async execute({ as: { name, scopes, publishUpTo, expiresAt } }: IssueApiToken): Promise<IssuedToken> {
    const { principal } = currentContext();
    if (principal?.proof.kind !== 'session')
      throw new Refusal('FORBIDDEN', 'Only a signed-in person can issue tokens.');
    const { accountId } = principal;
    const now = new Date();
    const until = expiresAt ?? new Date(now.getTime() + MAX_TOKEN_LIFETIME_MS);
    const grant = { name, scopes: [...new Set(scopes)], publishUpTo, expiresAt: until.toISOString() };
    const [tokenId, token] = [newId(), newApiToken()];
    const command = { type: 'issueToken', tokenId, grant, now: now.toISOString() } as const;
    this.changes.requirePossible(await this.changes.requireAccount(accountId), command);
    await this.tokens.addToken(token, { tokenId, accountId });
    return { tokenId, accountId, token, receipt: await this.changes.runCommand(accountId, command) };
  }
}

/** The event is appended first: from then on the token is not accepted, even if its hash is still stored. */
@CommandHandler(RevokeApiToken)
export class RevokeApiTokenHandler implements ICommandHandler<RevokeApiToken> {
  constructor(
    private readonly tokens: TokenStore,
    private readonly changes: AccountChanges,
  ) {}

  async execute({ tokenId }: RevokeApiToken): Promise<Receipt> {
    const { principal } = currentContext();
    const accountId = await this.tokens.findOwner(tokenId);
    const mayRevoke = accountId === principal?.accountId || principal?.authority.permissions.includes('accounts');
    if (accountId === null || !mayRevoke)
      throw new Refusal('TOKEN_NOT_FOUND', 'You have no token with this id, or it was revoked.');
    const receipt = await this.changes.runCommand(accountId, { type: 'revokeToken', tokenId });
    await this.tokens.removeToken(tokenId);
    return receipt;
  }
}
