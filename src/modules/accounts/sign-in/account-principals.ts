import { Injectable } from '@nestjs/common';
import { authorityOf, type Authority } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import { lowerStage } from '../../../kernel/stage.js';
import { Principals, type CallOrigin, type Principal } from '../../../platform/access/access.port.js';
import { Directory } from '../../../ports/directory.port.js';
import { isApiToken } from '../tokens/token-format.js';
import { TokenStore } from '../tokens/token-store.js';
import type { TokenGrant } from '../contracts/account.events.js';
import type { KnownAccount } from '../accounts/account.state.js';
import { LiveAccounts } from '../accounts/live-accounts.js';
import { SessionStore } from './session-store.js';

/** Finds out who makes a call, by a session or an API token, and what the account may do now. */
@Injectable()
export class AccountPrincipals extends Principals {
  constructor(
    private readonly accounts: LiveAccounts,
    private readonly sessions: SessionStore,
    private readonly tokens: TokenStore,
    private readonly directory: Directory,
  ) {
    super();
    accounts.onChange((accountId) => sessions.dropCachedOf(accountId));
  }

  authenticate(token: string, origin: CallOrigin | null): Promise<Principal | null> {
    return isApiToken(token) ? this.authenticateByToken(token, origin) : this.authenticateBySession(token, origin);
  }

  async authorityNow({ accountId, proof }: Principal): Promise<Authority | null> {
    const known = await this.accounts.readFromLog(accountId);
    if (!known || !this.mayAct(known)) return null;
    if (proof.kind === 'session') return (await this.sessions.isKept(proof.id)) ? authorityOfAccount(known) : null;
    const grant = known.tokens[proof.id];
    return grant ? authorityOfToken(known, grant) : null;
  }

  onChange(listener: (accountId: string) => void): () => void {
    return this.accounts.onChange(listener);
  }

  private async authenticateBySession(token: string, origin: CallOrigin | null): Promise<Principal | null> {
    const session = await this.sessions.findByToken(token);
    const known = session && (await this.accounts.findAccount(session.accountId));
    if (!session || !known || !this.mayAct(known)) return null;
    if (origin) this.sessions.noteUse(session);
    const { accountId, username, mustChangePassword } = known;
    return {
      actor: { kind: 'account', id: accountId, name: username },
      accountId,
      authority: authorityOfAccount(known),
      proof: { kind: 'session', id: session.id },
      expiresAt: session.expiresAt,
      mustChangePassword,
    };
  }

  private async authenticateByToken(token: string, origin: CallOrigin | null): Promise<Principal | null> {
    const stored = await this.tokens.findToken(token);
    const known = stored && (await this.findOwner(stored.accountId, stored.tokenId));
    const grant = known?.tokens[stored?.tokenId ?? ''];
    if (!stored || !known || !grant || !this.mayAct(known)) return null;
    if (Date.parse(grant.expiresAt) <= Date.now()) {
      throw new Refusal(
        'TOKEN_EXPIRED',
        `The token ${grant.name} expired at ${grant.expiresAt}. Ask its owner for a new one.`,
      );
    }
    if (origin) this.tokens.noteUse(stored.tokenId, origin.address);
    const { accountId, username } = known;
    return {
      actor: { kind: 'token', id: stored.tokenId, name: `${grant.name} of ${username}` },
      accountId,
      authority: authorityOfToken(known, grant),
      proof: { kind: 'token', id: stored.tokenId },
      expiresAt: new Date(grant.expiresAt),
      mustChangePassword: false,
    };
  }

  /** Without a directory this server would not notice that a person has left, so directory accounts are accepted only while there is one. */
  private mayAct({ disabled, source }: KnownAccount): boolean {
    return !disabled && (source === 'local' || this.directory.url !== null);
  }

  /** Reads the log when the account in memory does not have the token, because another process may have issued it a moment ago. */
  private async findOwner(accountId: string, tokenId: string): Promise<KnownAccount | null> {
    const known = await this.accounts.findAccount(accountId);
    return known?.tokens[tokenId] ? known : this.accounts.readFromLog(accountId);
  }
}

const authorityOfAccount = ({ username, roles, publishUpTo }: KnownAccount): Authority =>
  authorityOf(username, roles, publishUpTo);

/** Returns what a token may do now: its scopes, as far as its owner has them. */
function authorityOfToken(known: KnownAccount, grant: TokenGrant): Authority {
  const owner = authorityOfAccount(known);
  return {
    ...owner,
    permissions: owner.permissions.filter((permission) => grant.scopes.includes(permission)),
    token: { name: grant.name, accountMay: owner.permissions },
    publishUpTo: grant.publishUpTo === null ? owner.publishUpTo : lowerStage(owner.publishUpTo, grant.publishUpTo),
  };
}
