import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../platform/paging/cursor.js';
import { checkFirst, pageOf, type Page } from '../../../platform/paging/page.js';
import { Sessions, type ListedSession } from '../../../ports/sessions.port.js';
import type { AccountView, ApiTokenView } from '../contracts/account-view.js';
import { AccountEntity } from '../projections/accounts/account.entity.js';
import { AccountQuery, AccountsQuery, ApiTokensQuery, SessionsQuery } from './accounts.query.js';

const AccountCursor = z.object({
  order: z.literal('ACCOUNT'),
  username: z.string().refine((text) => !text.includes('\0')),
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
  constructor(private readonly sessions: Sessions) {}

  execute({ accountId }: SessionsQuery): Promise<readonly ListedSession[]> {
    return this.sessions.list(accountId);
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
