import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { Authenticator } from '../auth/authenticator.js';
import { Settings } from '../config/settings.js';
import { graphqlDriver, graphqlOptions } from './graphql-options.js';
import { GraphqlSocket } from './socket/graphql-socket.js';
import { WatchedRights } from './socket/watched-rights.js';
import { scalars } from './types/scalars.js';

/** GraphQL over HTTP and, for subscriptions, over WebSockets. Resolvers are found in all modules. */
@Module({
  imports: [
    GraphQLModule.forRootAsync<ApolloDriverConfig>({
      driver: graphqlDriver,
      inject: [Authenticator, Settings],
      useFactory: (authenticator: Authenticator, { introspection }: Settings) =>
        graphqlOptions(authenticator, introspection),
    }),
  ],
  providers: [GraphqlSocket, WatchedRights, ...scalars],
})
export class GraphqlModule {}
