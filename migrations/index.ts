import { Schemas1764000000000 } from './1764000000000-schemas.js';
import { EventLog1764000000001 } from './1764000000001-event-log.js';
import { Trust1764000000003 } from './1764000000003-trust.js';
import { FeedCursors1764000000004 } from './1764000000004-feed-cursors.js';
import { CopiedEvents1764000000005 } from './1764000000005-copied-events.js';
import { LogBinding1764000000006 } from './1764000000006-log-binding.js';
import { PackagesReadModels1764000000010 } from './1764000000010-packages-read-models.js';
import { ReplicasReadModel1764000000011 } from './1764000000011-replicas-read-model.js';
import { ServersReadModels1764000000012 } from './1764000000012-servers-read-models.js';
import { AuditEntries1764000000013 } from './1764000000013-audit-entries.js';
import { PeerPolicies1764000000020 } from './1764000000020-peer-policies.js';
import { ServerKeyRotation1764000000025 } from './1764000000025-server-key-rotation.js';
import { Reachable1764000000030 } from './1764000000030-reachable.js';
import { PeerTunnels1764000000031 } from './1764000000031-peer-tunnels.js';
import { Scrub1764000000050 } from './1764000000050-scrub.js';
import { PeerComparisons1764000000051 } from './1764000000051-peer-comparisons.js';
import { ReplicaWays1764000000060 } from './1764000000060-replica-ways.js';
import { Transfers1764000000070 } from './1764000000070-transfers.js';
import { SessionsAndLockOut1764000000100 } from './1764000000100-sessions-and-lock-out.js';
import { AccountsReadModels1764000000101 } from './1764000000101-accounts-read-models.js';
import { DownloadPasswords1764000000160 } from './1764000000160-download-passwords.js';
import { SecretKeyIds1764000000161 } from './1764000000161-secret-key-ids.js';
import { AuditChain1764000000300 } from './1764000000300-audit-chain.js';
import { AuditSearch1764000000301 } from './1764000000301-audit-search.js';
import { DirectoryRefresh1764000000500 } from './1764000000500-directory-refresh.js';

/** Run in this order at start. */
export const migrations = [
  Schemas1764000000000,
  EventLog1764000000001,
  Trust1764000000003,
  FeedCursors1764000000004,
  CopiedEvents1764000000005,
  LogBinding1764000000006,
  PackagesReadModels1764000000010,
  ReplicasReadModel1764000000011,
  ServersReadModels1764000000012,
  AuditEntries1764000000013,
  PeerPolicies1764000000020,
  ServerKeyRotation1764000000025,
  Reachable1764000000030,
  PeerTunnels1764000000031,
  Scrub1764000000050,
  PeerComparisons1764000000051,
  ReplicaWays1764000000060,
  Transfers1764000000070,
  SessionsAndLockOut1764000000100,
  AccountsReadModels1764000000101,
  DownloadPasswords1764000000160,
  SecretKeyIds1764000000161,
  AuditChain1764000000300,
  AuditSearch1764000000301,
  DirectoryRefresh1764000000500,
];
