import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Recorded, RecordedEvent } from '../../../kernel/events.js';
import { AsProjection, type Projection } from '../../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../../platform/eventsourcing/read-tables.js';
import { accountEvents, type AccountEvent } from '../contracts/account.events.js';
import { AccountEntity } from './account.entity.js';
import { ApiTokenEntity } from '../tokens/api-token.entity.js';

type OfAccount = Recorded<Exclude<AccountEvent, { type: 'SignInRefused' | 'CallRefused' }>>;

function foldAccount(row: AccountEntity | undefined, event: OfAccount): AccountEntity | undefined {
  const at = event.record.recordedAt;
  if (event.type === 'AccountCreated') {
    const { accountId: id, ...data } = event.data;
    return { id, ...data, disabled: false, createdAt: at, lastSignedInAt: null };
  }
  return row && changeRow(row, event, at);
}

function changeRow(row: AccountEntity, event: OfAccount, at: Date): AccountEntity {
  switch (event.type) {
    case 'SignedIn':
      return { ...row, lastSignedInAt: at };
    case 'RoleChanged':
      return { ...row, ...event.data.to };
    case 'AccountRenamed':
      return { ...row, displayName: event.data.to };
    case 'AccountDisabled':
      return { ...row, disabled: true };
    case 'AccountEnabled':
      return { ...row, disabled: false };
    case 'PasswordChanged':
      return { ...row, mustChangePassword: event.data.mustChangePassword };
    default:
      return row;
  }
}

function foldToken(row: ApiTokenEntity | undefined, event: OfAccount): ApiTokenEntity | undefined {
  const at = event.record.recordedAt;
  if (event.type === 'ApiTokenRevoked') return row && { ...row, revokedAt: at };
  if (event.type !== 'ApiTokenIssued') return row;
  const { tokenId: id, accountId, name, scopes, publishUpTo, expiresAt } = event.data;
  return { id, accountId, name, scopes, publishUpTo, issuedAt: at, expiresAt: new Date(expiresAt), revokedAt: null };
}

/** Keeps the tables `accounts` and `api_tokens`. The keys that it reports as changed are the ids of accounts. */
@AsProjection()
@Injectable()
export class AccountsProjection implements Projection {
  readonly name = 'accounts';
  readonly version = 1;
  readonly tables = ['accounts', 'api_tokens'];
  readonly eventTypes = accountEvents.types.filter((type) => type !== 'SignInRefused' && type !== 'CallRefused');

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const read = events.flatMap((event) => accountEvents.read(event) ?? []) as OfAccount[];
    const ids = [...new Set(read.map((event) => event.data.accountId))];
    const accounts = await loadById(tx, AccountEntity, ids);
    const tokens = await loadById(
      tx,
      ApiTokenEntity,
      read.flatMap(({ data }) => ('tokenId' in data ? data.tokenId : [])),
    );
    for (const event of read) {
      const row = foldAccount(accounts.get(event.data.accountId), event);
      if (row) accounts.set(row.id, row);
      const token = 'tokenId' in event.data ? foldToken(tokens.get(event.data.tokenId), event) : undefined;
      if (token) tokens.set(token.id, token);
    }
    await upsertRows(tx, AccountEntity, [...accounts.values()]);
    await upsertRows(tx, ApiTokenEntity, [...tokens.values()]);
    return ids;
  }
}

async function loadById<T extends { readonly id: string }>(
  tx: EntityManager,
  entity: new () => T,
  ids: readonly string[],
): Promise<Map<string, T>> {
  const rows = await tx.createQueryBuilder(entity, 'row').where('row.id = ANY(:ids)', { ids }).getMany();
  return new Map(rows.map((row) => [row.id, row]));
}
