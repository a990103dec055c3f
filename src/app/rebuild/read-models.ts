import { AccountsProjection } from '../../modules/accounts/projections/accounts/accounts.projection.js';
import { AuditProjection } from '../../modules/audit/projections/entries/audit.projection.js';
import { ChunksProjection } from '../../modules/packages/projections/chunks/chunks.projection.js';
import { PackagesProjection } from '../../modules/packages/projections/packages/packages.projection.js';
import { PeersProjection } from '../../modules/peers/projections/peers/peers.projection.js';
import { ReplicasProjection } from '../../modules/replication/projections/replicas/replicas.projection.js';
import { ServerSettingsProjection } from '../../modules/server/projections/settings/server-settings.projection.js';
import type { Projection } from '../../platform/projections/projection.js';

/** All read models, for tools that build them outside the running server. A test compares it with the source tree. */
export const allProjections = (): readonly Projection[] => [
  new PackagesProjection(),
  new ChunksProjection(),
  new ReplicasProjection(),
  new PeersProjection(),
  new ServerSettingsProjection(),
  new AccountsProjection(),
  new AuditProjection(),
];
