import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Permission, Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { isPlain } from '../../../kernel/text.js';
import { checkFirst, decodeCursor, encodeCursor, type Page, pageOf } from '../../../platform/graphql/paging.js';
import type { AccountSource } from '../contracts/account.events.js';
import { type ListedSession, SessionStore } from '../sign-in/session-store.js';
import { AccountEntity } from './account.entity.js';

/** An account as it is shown. */
export interface AccountView {
  readonly id: string;
  readonly username: string;
  readonly displayName: string | null;
  readonly source: AccountSource;
  readonly roles: readonly Role[];
  readonly publishUpTo: Stage | null;
  readonly disabled: boolean;
  readonly mustChangePassword: boolean;
  readonly createdAt: Date;
  readonly lastSignedInAt: Date | null;
}

/** An API token that was not revoked, as it is shown. */
export interface ApiTokenView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly publishUpTo: Stage | null;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** Exact to the minute. */
  readonly lastUsedAt: Date | null;
  /** IP address of the last use. */
  readonly lastUsedFrom: string | null;
}

/** One page of all accounts, ordered by name. Refusals: INVALID_CURSOR, INVALID_REQUEST. */
export class AccountsQuery extends Query<Page<AccountView>> {
  constructor(
    readonly first: number,
    readonly after: string | null,
  ) {
    super();
  }
}

/** One account; null when it does not exist. */
export class AccountQuery extends Query<AccountView | null> {
  constructor(readonly id: string) {
    super();
  }
}

/** The open sessions of an account, the last used first. */
export class SessionsQuery extends Query<readonly ListedSession[]> {
  constructor(readonly accountId: string) {
    super();
  }
}

/** The API tokens of an account that were not revoked, the newest first. */
export class ApiTokensQuery extends Query<readonly ApiTokenView[]> {
  constructor(readonly accountId: string) {
    super();
  }
}

const AccountCursor = z.object({
  order: z.literal('ACCOUNT'),
  username: z.string().refine(isPlain),
  id: z.string(),
});

@QueryHandler(AccountsQuery)
export class AccountsHandler implements IQueryHandler<AccountsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ first, after }: AccountsQuery): Promise<Page<AccountView>> {
    const query = this.dataSource.createQueryBuilder(AccountEntity, 'account');
    query
      .orderBy('account.username')
      .addOrderBy('account.id')
      .limit(checkFirst(first) + 1);
    if (after !== null) {
      const { username, id } = decodeCursor(after, AccountCursor);
      query.andWhere('(account.username, account.id) > (:username, :id)', { username, id });
    }
    return pageOf(await query.getMany(), { first, after }, (row) => {
      return { cursor: encodeCursor({ order: 'ACCOUNT', username: row.username, id: row.id }), node: row };
    });
  }
}

@QueryHandler(AccountQuery)
export class AccountHandler implements IQueryHandler<AccountQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ id }: AccountQuery): Promise<AccountView | null> {
    return this.dataSource.createQueryBuilder(AccountEntity, 'account').where('account.id = :id', { id }).getOne();
  }
}

@QueryHandler(SessionsQuery)
export class SessionsHandler implements IQueryHandler<SessionsQuery> {
  constructor(private readonly sessions: SessionStore) {}

  execute({ accountId }: SessionsQuery): Promise<readonly ListedSession[]> {
    return this.sessions.listSessions(accountId);
  }
}

@QueryHandler(ApiTokensQuery)
export class ApiTokensHandler implements IQueryHandler<ApiTokensQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ accountId }: ApiTokensQuery): Promise<readonly ApiTokenView[]> {
    return this.dataSource.query(
      `SELECT token.id, token.name, token.scopes, token.publish_up_to AS "publishUpTo", token.issued_at AS "issuedAt",
         token.expires_at AS "expiresAt", used.last_used_at AS "lastUsedAt", used.last_used_from AS "lastUsedFrom"
       FROM api_tokens AS token LEFT JOIN state.api_tokens AS used ON used.token_id = token.id
       WHERE token.account_id = $1 AND token.revoked_at IS NULL ORDER BY token.issued_at DESC, token.id LIMIT 200`,
      [accountId],
    );
  }
}
