import { z } from 'zod';
import { stampMs } from '../../../kernel/hybrid-clock.js';
import { describeSignature, SIGNATURE_STATUS_OF } from '../../../platform/peer-calls/describe-signature.js';
import { keyFingerprint } from '../../../platform/peer-calls/ed25519.js';
import type { SignerKeys } from '../../../platform/peer-calls/signer-keys.port.js';
import {
  type FactSignatureView,
  NAME_OF_REGISTER,
  type SignedRegister,
} from '../../packages/contracts/fact-signatures.js';
import { REGISTERS } from '../../packages/contracts/signed-facts.js';
import type { AuditEntryView } from './audit-view.js';

const Signed = z.object({
  /** The registers that the statement states. */
  registers: z.array(z.enum(REGISTERS)),
  serverId: z.string(),
  serverName: z.string(),
  actor: z.string(),
  stamp: z.string(),
  publicKey: z.string(),
});
type Signed = z.output<typeof Signed>;

/** The details of entries about changes of packages, as far as their signatures need them. */
const Details = z.object({
  signed: z.array(Signed).default([]),
  source: z.object({ kind: z.string(), peerId: z.string().optional() }).optional(),
  publication: z.string().optional(),
  stamp: z.string().optional(),
});
type Details = z.output<typeof Details>;

/** What each kind of event changes. An event that only adds signatures changes nothing. */
const CHANGED: Readonly<Record<string, SignedRegister | null>> = {
  PackagePublished: 'PUBLICATION',
  PackageStageChanged: 'STAGE',
  PackageRemoved: 'REMOVAL',
  PackageFactsSigned: null,
};

type Entry = Pick<AuditEntryView, 'kind' | 'details' | 'origin' | 'recordedAt' | 'actor' | 'serverId'>;

/**
 * Who signed the change of a package that an entry tells. A signature was checked before it was recorded, and the audit
 * chain shows whether it was changed since. So only its key is looked up, because more keys may be known now than then.
 */
export function signaturesOf(entry: Entry, keys: SignerKeys): readonly FactSignatureView[] {
  const changed = CHANGED[entry.kind];
  const details = changed === undefined ? null : Details.safeParse(entry.details);
  if (!details?.success) return [];
  const { signed } = details.data;
  const told = signed.map((one) => viewOf(one, keys));
  if (!changed || told.some(({ register }) => register === changed)) return told;
  return [unsigned(changed, entry, details.data, keys), ...told];
}

function viewOf(signed: Signed, keys: SignerKeys): FactSignatureView {
  const { registers, serverId, serverName, actor, stamp, publicKey } = signed;
  const status = SIGNATURE_STATUS_OF[keys.statusOf(serverId, publicKey, stampMs(stamp))];
  // The name under which the server is known here counts more than the name that it gives itself.
  const server = { id: serverId, name: keys.nameOf(serverId) || serverName };
  const text = describeSignature({ status, serverName: server.name, publicKey });
  const at = new Date(stampMs(stamp));
  const register = NAME_OF_REGISTER[registers[0] ?? 'publication'];
  return { register, status, text, server, actor, at, publicKey, keyFingerprint: keyFingerprint(publicKey) };
}

function unsigned(register: SignedRegister, entry: Entry, details: Details, keys: SignerKeys): FactSignatureView {
  const { source, stamp = details.publication } = details;
  const peerId = source?.kind === 'peer' ? source.peerId : undefined;
  const saidBy = peerId === undefined ? null : keys.nameOf(peerId) || peerId;
  const { origin } = entry;
  return {
    register,
    status: 'UNSIGNED',
    text: describeSignature({ status: 'UNSIGNED', serverName: saidBy, publicKey: null }),
    server: origin && { id: origin.serverId, name: origin.serverName ?? origin.serverId },
    actor: origin ? origin.actor : entry.actor.name,
    at: stamp === undefined ? entry.recordedAt : new Date(stampMs(stamp)),
    publicKey: null,
    keyFingerprint: null,
  };
}
