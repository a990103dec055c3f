import { authorityOf, isTokenScope, requirePermission } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import { isUpTo } from '../../../kernel/stage.js';
import type { AccountEvent, TokenGrant } from '../contracts/account.events.js';
import type { KnownAccount } from '../accounts/account.state.js';

/** Live tokens that one account may have. */
const MAX_TOKENS = 50;
const MAX_NAME_LENGTH = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A token that nobody renews is a token that nobody remembers; a year and a day lets it be renewed once a year. */
export const MAX_TOKEN_LIFETIME_MS = 366 * DAY_MS;

interface TokenIssue {
  readonly tokenId: string;
  readonly grant: TokenGrant;
  /** ISO 8601. */
  readonly now: string;
}

const refuseInvalid = (why: string): never => {
  throw new Refusal('INVALID_REQUEST', why);
};

function checkedName(name: string, live: readonly TokenGrant[]): string {
  const trimmed = name.normalize('NFC').trim();
  if (trimmed === '' || trimmed.length > MAX_NAME_LENGTH || /\p{Cc}/u.test(trimmed)) {
    refuseInvalid(`The name of a token has 1 to ${MAX_NAME_LENGTH} characters, without control characters.`);
  }
  if (live.some((token) => token.name === trimmed)) refuseInvalid(`You have a token with the name ${trimmed} already.`);
  return trimmed;
}

function checkTimes(expiresAt: string, now: string): void {
  const lifetime = Date.parse(expiresAt) - Date.parse(now);
  if (!(lifetime > 0)) refuseInvalid('`expiresAt` must be in the future.');
  if (lifetime > MAX_TOKEN_LIFETIME_MS)
    refuseInvalid('A token can last for a year at most: choose an earlier `expiresAt`.');
}

/** What the owner may not do can't be in a token either. */
function checkScopes(state: KnownAccount, { scopes, publishUpTo }: TokenGrant): void {
  const authority = authorityOf(state.username, state.roles, state.publishUpTo);
  if (scopes.length === 0) refuseInvalid('A token needs at least one scope.');
  for (const scope of scopes) {
    if (!isTokenScope(scope)) refuseInvalid(`A token can't have the scope \`${scope}\`.`);
    requirePermission(authority, scope);
  }
  if (publishUpTo !== null && !isUpTo(authority.publishUpTo, publishUpTo)) {
    throw new Refusal('FORBIDDEN', `You may publish up to the stage ${authority.publishUpTo}, and so may your tokens.`);
  }
}

export function decideIssue(state: KnownAccount, { tokenId, grant, now }: TokenIssue): AccountEvent[] {
  const live = Object.values(state.tokens).filter(({ expiresAt }) => Date.parse(expiresAt) > Date.parse(now));
  if (live.length >= MAX_TOKENS) refuseInvalid(`An account can have ${MAX_TOKENS} tokens. Revoke one first.`);
  const name = checkedName(grant.name, live);
  checkTimes(grant.expiresAt, now);
  checkScopes(state, grant);
  const { accountId, username } = state;
  return [{ type: 'ApiTokenIssued', data: { accountId, username, tokenId, ...grant, name } }];
}

export function decideRevocation({ accountId, username, tokens }: KnownAccount, tokenId: string): AccountEvent[] {
  const token = tokens[tokenId];
  if (!token) throw new Refusal('TOKEN_NOT_FOUND', 'There is no such token, or it was revoked.');
  return [{ type: 'ApiTokenRevoked', data: { accountId, username, tokenId, name: token.name } }];
}
