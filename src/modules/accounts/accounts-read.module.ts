import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountsProjection } from './projections/accounts/accounts.projection.js';
import { accountEntities } from './projections/entities.js';
import { AccountHandler, AccountsHandler, ApiTokensHandler, SessionsHandler } from './queries/accounts.handlers.js';
import { DirectoryHandler, DirectoryTestHandler } from './queries/directory.handlers.js';

/** What can be asked about accounts. Needs the ports Sessions and Directory. */
@Module({
  imports: [TypeOrmModule.forFeature(accountEntities)],
  providers: [
    AccountsProjection,
    AccountsHandler,
    AccountHandler,
    SessionsHandler,
    ApiTokensHandler,
    DirectoryHandler,
    DirectoryTestHandler,
  ],
})
export class AccountsReadModule {}
