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
  /** Null: as far as its owner may. */
  readonly publishUpTo: Stage | null;
  /** Null: in a year. */
  readonly expiresAt: Date | null;
}

interface IssuedToken {
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

/** The hash comes before the event that makes it valid: what a crash leaves opens nothing. */
@CommandHandler(IssueApiToken)
export class IssueApiTokenHandler implements ICommandHandler<IssueApiToken> {
  constructor(
    private readonly tokens: TokenStore,
    private readonly changes: AccountChanges,
  ) {}

  async execute({ as: { name, scopes, publishUpTo, expiresAt } }: IssueApiToken): Promise<IssuedToken> {
    const { principal } = currentContext();
    if (principal?.proof.kind !== 'session') throw new Refusal('FORBIDDEN', 'Only who has signed in can make tokens.');
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

/** The event comes first: from then on the hash opens nothing. */
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
      throw new Refusal('TOKEN_NOT_FOUND', 'You have no such token, or it was revoked.');
    const receipt = await this.changes.runCommand(accountId, { type: 'revokeToken', tokenId });
    await this.tokens.removeToken(tokenId);
    return receipt;
  }
}
