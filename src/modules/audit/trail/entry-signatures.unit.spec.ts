import { describe, expect, it } from 'vitest';
import '../../packages/packages.declarations.js';
import { describeEvent } from '../../../platform/eventsourcing/event-descriptions.js';
import type { KeyStatus } from '../../../platform/peer-calls/signer-keys.port.js';
import { keyFingerprint } from '../../../platform/peer-calls/ed25519.js';
import { NoSignerKeys } from '../../../../test/support/no-signer-keys.js';
import { OWN_SERVER, PEER, publication, recorded } from '../../../../test/support/read-side.js';
import { publicationStatement, signFact } from '../../../../test/support/sign-fact.js';
import { SigningServer } from '../../../../test/support/signing-server.js';
import { type PackageEvent, packageEvents } from '../../packages/contracts/package.events.js';
import { signaturesOf } from './entry-signatures.js';

const berlin = new SigningServer(PEER, 'Berlin');
const fingerprint = keyFingerprint(berlin.publicKey);

/** Has one answer about every key, and knows no names. */
class OneAnswer extends NoSignerKeys {
  constructor(private readonly status: KeyStatus) {
    super();
  }

  override statusOf(): KeyStatus {
    return this.status;
  }
}

function entryOf(type: PackageEvent['type'], data: object) {
  const event = recorded(type, JSON.parse(JSON.stringify(data)));
  const schemaVersion = packageEvents.versionOf(type);
  const described = describeEvent({ ...event, metadata: { ...event.metadata, schemaVersion } });
  if (!described) throw new Error('Nobody describes it');
  const { details, origin = null } = described;
  const { actor, serverId } = event.metadata;
  return {
    kind: type,
    details: JSON.parse(JSON.stringify(details)),
    origin,
    recordedAt: event.recordedAt,
    actor,
    serverId,
  };
}

const told = {
  ...publication('a.pkg', { origin: { serverId: PEER, name: 'Berlin' }, source: { kind: 'peer', peerId: PEER } }),
  publication: `018bcfe56801-0000-${PEER}`,
};
const signed = { ...told, proofs: [signFact(publicationStatement(told), berlin)] };

describe('an entry about a change of a package', () => {
  it.each([
    ['known', 'VERIFIED', `signed by Berlin, key ${fingerprint}`],
    ['server unknown', 'KEY_UNKNOWN', `not verifiable: the key ${fingerprint} of Berlin is not known here`],
    ['other key', 'INVALID', `not valid: the signature with the key ${fingerprint} is not by Berlin`],
  ] as const)('tells who signed it, when the key is: %s', (known, status, text) => {
    expect(signaturesOf(entryOf('PackagePublished', signed), new OneAnswer(known))).toEqual([
      {
        register: 'PUBLICATION',
        status,
        text,
        server: { id: PEER, name: 'Berlin' },
        actor: 'admin',
        at: new Date(0x018bcfe56801),
        publicKey: berlin.publicKey,
        keyFingerprint: fingerprint,
      },
    ]);
  });

  it('tells which peer said it, when it is not signed', () => {
    const [signature] = signaturesOf(entryOf('PackagePublished', told), new OneAnswer('known'));
    expect(signature).toMatchObject({ register: 'PUBLICATION', status: 'UNSIGNED', text: `unsigned, said by ${PEER}` });
    expect(signature).toMatchObject({ server: { id: PEER, name: 'Berlin' }, publicKey: null, keyFingerprint: null });
  });

  it('tells that a change on this server is not signed, when an earlier version recorded it', () => {
    const own = { packageId: told.packageId, filename: 'a.pkg', from: 'Dev', to: 'Test', source: { kind: 'local' } };
    const entry = entryOf('PackageStageChanged', { ...own, stamp: `018bcfe56801-0000-${OWN_SERVER}` });
    expect(signaturesOf(entry, new OneAnswer('known'))).toMatchObject([
      { register: 'STAGE', status: 'UNSIGNED', text: 'unsigned', actor: 'admin', server: null },
    ]);
  });

  it('names the part that a statement of another publication tells', () => {
    const earlier = { ...told, publication: `018bcfe56800-0000-${PEER}`, stageStamp: `018bcfe56800-0000-${PEER}` };
    const data = { ...told, proofs: [signFact(publicationStatement(earlier), berlin)] };
    expect(signaturesOf(entryOf('PackagePublished', data), new OneAnswer('known'))).toMatchObject([
      { register: 'PUBLICATION', status: 'UNSIGNED' },
      { register: 'FIRST_PUBLICATION', status: 'VERIFIED' },
    ]);
  });

  it('tells what was signed later', () => {
    const { packageId, filename, source } = told;
    const entry = entryOf('PackageFactsSigned', { packageId, filename, source, proofs: signed.proofs });
    expect(signaturesOf(entry, new OneAnswer('known'))).toMatchObject([
      { register: 'PUBLICATION', status: 'VERIFIED' },
    ]);
  });
});

it('an entry about anything else has no signature', () => {
  const entry = { ...entryOf('PackagePublished', signed), kind: 'SessionOpened' };
  expect(signaturesOf(entry, new OneAnswer('known'))).toEqual([]);
});
