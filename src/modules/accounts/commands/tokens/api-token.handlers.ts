import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { currentContext } from '../../../../platform/context/call-context.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';
import { newId } from '../../../../platform/ids/ids.js';
import { MAX_TOKEN_LIFETIME_MS } from '../../domain/tokens.js';
import { AccountChanges } from '../standing/account-changes.js';
import { IssueApiToken, RevokeApiToken, type IssuedToken } from './api-token.command.js';
import { newApiToken } from './token-format.js';
import { TokenStore } from './token-store.js';

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
    await this.tokens.add(token, { tokenId, accountId });
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
    const accountId = await this.tokens.ownerOf(tokenId);
    const mayRevoke = accountId === principal?.accountId || principal?.authority.permissions.includes('accounts');
    if (accountId === null || !mayRevoke)
      throw new Refusal('TOKEN_NOT_FOUND', 'You have no such token, or it was revoked.');
    const receipt = await this.changes.runCommand(accountId, { type: 'revokeToken', tokenId });
    await this.tokens.remove(tokenId);
    return receipt;
  }
}
