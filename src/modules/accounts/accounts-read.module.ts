import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountsProjection } from './projections/accounts/accounts.projection.js';
import { accountEntities } from './projections/entities.js';
import { AccountHandler, AccountsHandler, ApiTokensHandler, SessionsHandler } from './queries/accounts.handlers.js';

/** What can be asked about accounts. Needs the port Sessions. */
@Module({
  imports: [TypeOrmModule.forFeature(accountEntities)],
  providers: [AccountsProjection, AccountsHandler, AccountHandler, SessionsHandler, ApiTokensHandler],
})
export class AccountsReadModule {}
