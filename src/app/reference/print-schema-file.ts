import { AccountChangesResolver } from '../../modules/accounts/api/account-changes.resolver.js';
import { AccountsResolver } from '../../modules/accounts/api/accounts.resolver.js';
import { ApiTokensResolver } from '../../modules/accounts/api/api-tokens.resolver.js';
import { DirectoryResolver } from '../../modules/accounts/api/directory/directory.resolver.js';
import { DownloadProtectionResolver } from '../../modules/downloads/api/download-protection.resolver.js';
import { MeResolver } from '../../modules/accounts/api/me.resolver.js';
import { OwnSessionsResolver } from '../../modules/accounts/api/own-sessions.resolver.js';
import { SignInResolver } from '../../modules/accounts/api/sign-in.resolver.js';
import { AuditResolver } from '../../modules/audit/api/audit.resolver.js';
import { ChainResolver } from '../../modules/audit/api/chain.resolver.js';
import { PackageChangesResolver } from '../../modules/packages/api/package-changes.resolver.js';
import { PackageFieldsResolver } from '../../modules/packages/api/package-fields.resolver.js';
import { PackagesResolver } from '../../modules/packages/api/packages.resolver.js';
import { ReplicaPackageResolver } from '../../modules/packages/api/replica-package.resolver.js';
import { PeerChangesResolver } from '../../modules/peers/api/peer-changes.resolver.js';
import { PeerRouteResolver } from '../../modules/peers/api/peer-way.resolver.js';
import { PeerContactResolver } from '../../modules/peers/api/peer-contact.resolver.js';
import { PeerSyncResolver } from '../../modules/peers/api/peer-sync.resolver.js';
import { PeersResolver } from '../../modules/peers/api/peers.resolver.js';
import { QueueResolver } from '../../modules/queue/api/queue.resolver.js';
import { PackageReplicasResolver } from '../../modules/replication/api/package-replicas.resolver.js';
import { ReplicaSourcesResolver } from '../../modules/replication/api/replica-sources.resolver.js';
import { ReplicasResolver } from '../../modules/replication/api/replicas.resolver.js';
import { VerificationResolver } from '../../modules/replication/api/verification.resolver.js';
import { ServerResolver } from '../../modules/server/api/server.resolver.js';
import { buildSchemaOf, schemaText } from '../../platform/graphql/print-schema.js';

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
  PeerSyncResolver,
  PeerContactResolver,
  PeerChangesResolver,
  QueueResolver,
  AuditResolver,
  ChainResolver,
];

/** What `schema.graphql` has to hold. Needs no database. */
export const printSchemaFile = (): Promise<string> => schemaText(allResolvers);

export const buildWholeSchema = () => buildSchemaOf(allResolvers);
