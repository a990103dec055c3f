import { authorityOf, isTokenScope, requirePermission } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import { findTextFault } from '../../../kernel/input-text.js';
import { isUpTo } from '../../../kernel/stage.js';
import type { AccountEvent, TokenGrant } from '../contracts/account.events.js';
import type { KnownAccount } from '../accounts/account.state.js';

/** Limit of valid tokens per account. */
const MAX_TOKENS = 50;
const MAX_NAME_LENGTH = 100;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A token has to be renewed, so that forgotten tokens end. A year and a day allows renewing it once a year. */
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
  const fault = findTextFault(trimmed, { min: 1, max: MAX_NAME_LENGTH });
  if (fault !== null) refuseInvalid(`The name of a token ${fault}.`);
  if (live.some((token) => token.name === trimmed)) refuseInvalid(`You already have a token with the name ${trimmed}.`);
  return trimmed;
}

function checkTimes(expiresAt: string, now: string): void {
  const lifetime = Date.parse(expiresAt) - Date.parse(now);
  if (!(lifetime > 0)) refuseInvalid('`expiresAt` must be in the future.');
  if (lifetime > MAX_TOKEN_LIFETIME_MS)
    refuseInvalid('A token can be valid for one year at most. Choose an earlier `expiresAt`.');
}

/** A token cannot have a permission that its owner does not have. @throws Refusal FORBIDDEN, INVALID_REQUEST */
function checkScopes(state: KnownAccount, { scopes, publishUpTo }: TokenGrant): void {
  const authority = authorityOf(state.username, state.roles, state.publishUpTo);
  if (scopes.length === 0) refuseInvalid('A token needs at least one scope.');
  for (const scope of scopes) {
    if (!isTokenScope(scope)) refuseInvalid(`A token cannot have the scope \`${scope}\`.`);
    requirePermission(authority, scope);
  }
  if (publishUpTo !== null && !isUpTo(authority.publishUpTo, publishUpTo)) {
    throw new Refusal(
      'FORBIDDEN',
      `You may publish up to the stage ${authority.publishUpTo}, so your tokens cannot publish further.`,
    );
  }
}

/** Issues a token. @throws Refusal FORBIDDEN, INVALID_REQUEST */
export function decideIssue(state: KnownAccount, { tokenId, grant, now }: TokenIssue): AccountEvent[] {
  const live = Object.values(state.tokens).filter(({ expiresAt }) => Date.parse(expiresAt) > Date.parse(now));
  if (live.length >= MAX_TOKENS) refuseInvalid(`An account can have at most ${MAX_TOKENS} tokens. Revoke one first.`);
  const name = checkedName(grant.name, live);
  checkTimes(grant.expiresAt, now);
  checkScopes(state, grant);
  const { accountId, username } = state;
  return [{ type: 'ApiTokenIssued', data: { accountId, username, tokenId, ...grant, name } }];
}

/** Revokes a token. @throws Refusal TOKEN_NOT_FOUND */
export function decideRevocation({ accountId, username, tokens }: KnownAccount, tokenId: string): AccountEvent[] {
  const token = tokens[tokenId];
  if (!token) throw new Refusal('TOKEN_NOT_FOUND', 'There is no token with this id, or it was revoked.');
  return [{ type: 'ApiTokenRevoked', data: { accountId, username, tokenId, name: token.name } }];
}
