import type { RecordedEvent } from '../../../kernel/events.js';
import { accountEvents } from '../../accounts/contracts/account.events.js';
import { downloadEvents } from '../../downloads/contracts/download.events.js';
import { packageEvents } from '../../packages/contracts/package.events.js';
import { peerEvents } from '../../peers/contracts/peer.events.js';
import { replicaEvents } from '../../replication/contracts/replica.events.js';
import { secretEvents, serverEvents } from '../../server/contracts/server.events.js';
import { describeAccountEvent, describeSecretEvent, describeServerEvent } from './account-descriptions.js';
import { describeDownloadEvent } from './download-descriptions.js';
import { describePackageEvent, describeReplicaEvent } from './package-descriptions.js';
import { describePeerEvent } from './peer-descriptions.js';
import type { EventDescription } from './description.js';

/** Everything that is recorded is audited. */
export const AUDITED_TYPES: readonly string[] = [
  ...packageEvents.types,
  ...replicaEvents.types,
  ...peerEvents.types,
  ...accountEvents.types,
  ...serverEvents.types,
  ...downloadEvents.types,
  ...secretEvents.types,
];

/** What an event of the log tells; null for one that this program does not know. */
export function describeEvent(record: RecordedEvent): EventDescription | null {
  const ofPackage = packageEvents.read(record);
  if (ofPackage) return describePackageEvent(ofPackage);
  const ofReplica = replicaEvents.read(record);
  if (ofReplica) return describeReplicaEvent(ofReplica);
  const ofPeer = peerEvents.read(record);
  if (ofPeer) return describePeerEvent(ofPeer);
  const ofAccount = accountEvents.read(record);
  if (ofAccount) return describeAccountEvent(ofAccount);
  const ofDownload = downloadEvents.read(record);
  if (ofDownload) return describeDownloadEvent(ofDownload, record.metadata.serverId);
  const ofSecrets = secretEvents.read(record);
  if (ofSecrets) return describeSecretEvent(ofSecrets, record.metadata.serverId);
  const ofServer = serverEvents.read(record);
  return ofServer ? describeServerEvent(ofServer, record.metadata.serverId) : null;
}
