import { AccountChangesResolver } from '../../modules/accounts/api/account-changes.resolver.js';
import { AccountsResolver } from '../../modules/accounts/api/accounts.resolver.js';
import { ApiTokensResolver } from '../../modules/accounts/api/api-tokens.resolver.js';
import { DirectoryResolver } from '../../modules/accounts/api/directory.resolver.js';
import { DownloadProtectionResolver } from '../../modules/downloads/download-protection.resolver.js';
import { MeResolver, OwnSessionsResolver } from '../../modules/accounts/api/me.resolver.js';
import { SignInResolver } from '../../modules/accounts/api/sign-in.resolver.js';
import { AuditResolver } from '../../modules/audit/trail/audit.resolver.js';
import { ChainResolver } from '../../modules/audit/chain/chain.resolver.js';
import { PackageChangesResolver } from '../../modules/packages/api/package-changes.resolver.js';
import { PackageFieldsResolver } from '../../modules/packages/api/package-fields.resolver.js';
import { PackagesResolver } from '../../modules/packages/api/packages.resolver.js';
import { PeerChangesResolver } from '../../modules/peers/api/peer-changes.resolver.js';
import { PeerRouteResolver, PeersResolver } from '../../modules/peers/api/peers.resolver.js';
import { PeerReplicationResolver } from '../../modules/replication/api/peer-replication.resolver.js';
import { QueueResolver } from '../../modules/queue/queue.resolver.js';
import {
  PackageReplicasResolver,
  ReplicaPackageResolver,
} from '../../modules/replication/api/package-replicas.resolver.js';
import { ReplicaSourcesResolver } from '../../modules/replication/api/replica-sources.resolver.js';
import { ReplicasResolver } from '../../modules/replication/api/replicas.resolver.js';
import { VerificationResolver } from '../../modules/replication/api/verification.resolver.js';
import { ServerResolver } from '../../modules/server/server.resolver.js';
import { buildSchemaOf, schemaText } from '../../platform/graphql/schema.js';

/** All resolvers. A test compares it with the source tree. */
export const allResolvers = [
  ServerResolver,
  SignInResolver,
  MeResolver,
  DownloadProtectionResolver,
  OwnSessionsResolver,
  ApiTokensResolver,
  AccountsResolver,
  AccountChangesResolver,
  DirectoryResolver,
  PackagesResolver,
  PackageFieldsResolver,
  PackageChangesResolver,
  PackageReplicasResolver,
  ReplicasResolver,
  ReplicaSourcesResolver,
  ReplicaPackageResolver,
  VerificationResolver,
  PeersResolver,
  PeerRouteResolver,
  PeerReplicationResolver,
  PeerChangesResolver,
  QueueResolver,
  AuditResolver,
  ChainResolver,
];

/** What `schema.graphql` has to hold. Needs no database. */
export const printSchemaFile = (): Promise<string> => schemaText(allResolvers);

export const buildWholeSchema = () => buildSchemaOf(allResolvers);
