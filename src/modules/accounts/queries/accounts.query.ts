import { Query } from '@nestjs/cqrs';
import type { Page } from '../../../platform/paging/page.js';
import type { ListedSession } from '../../../ports/sessions.port.js';
import type { AccountView, ApiTokenView } from '../contracts/account-view.js';

/** A page of all accounts, by name. @throws Refusal INVALID_CURSOR, INVALID_REQUEST */
export class AccountsQuery extends Query<Page<AccountView>> {
  constructor(
    readonly first: number,
    readonly after: string | null,
  ) {
    super();
  }
}

/** One account; null when there is none. */
export class AccountQuery extends Query<AccountView | null> {
  constructor(readonly id: string) {
    super();
  }
}

/** The open sessions of an account. */
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
