import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { Authenticator } from '../access/authenticator.js';
import { OperationRates } from '../access/operation-rates.js';
import { Settings } from '../runtime/settings.js';
import { graphqlDriver, graphqlOptions } from './graphql-options.js';
import { GraphqlSocket } from './graphql-socket.js';
import { WatchedRights } from './watched-rights.js';
import { scalars } from './scalars.js';

/** Serves GraphQL over HTTP and subscriptions over WebSockets. Nest finds the resolvers in all modules. */
@Module({
  imports: [
    GraphQLModule.forRootAsync<ApolloDriverConfig>({
      driver: graphqlDriver,
      inject: [Authenticator, OperationRates, Settings],
      useFactory: (authenticator: Authenticator, rates: OperationRates, { introspection }: Settings) =>
        graphqlOptions(authenticator, rates, introspection),
    }),
  ],
  providers: [GraphqlSocket, WatchedRights, ...scalars],
})
export class GraphqlModule {}
