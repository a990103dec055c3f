import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../../src/kernel/events.js';
import { LiveSignerKeys } from '../../../src/modules/peers/signers/live-signer-keys.js';
import { keyFingerprint } from '../../../src/platform/peer-calls/ed25519.js';
import type { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { GraphqlApp } from '../../support/graphql-app.js';
import { PEER, publication, recorded } from '../../support/read-side.js';
import { publicationStatement, signFact } from '../../support/sign-fact.js';
import { SigningServer } from '../../support/signing-server.js';
import { waitFor } from '../../support/wait-for.js';

const there = new SigningServer(PEER, 'There');
const far = new SigningServer('0192c7a0-0000-7000-8000-0000000000fa', 'Far');

const eventOf = (type: string, data: object, schemaVersion = 1): RecordedEvent => {
  const event = recorded(type, JSON.parse(JSON.stringify(data)));
  return { ...event, metadata: { ...event.metadata, schemaVersion } };
};

const registration = eventOf('PeerRegistered', {
  peerId: PEER,
  name: 'Berlin',
  url: 'http://b',
  publicKey: there.publicKey,
});

function published(filename: string, { serverId, name }: SigningServer) {
  const stamp = `018bcfe56801-0000-${serverId}`;
  const source = { kind: 'peer', peerId: PEER } as const;
  const at = { publication: stamp, stageStamp: stamp, uploadedBy: 'eve' };
  return publication(filename, { origin: { serverId, name }, source, ...at });
}

const signed = (data: ReturnType<typeof published>, signer: SigningServer): RecordedEvent =>
  eventOf('PackagePublished', { ...data, proofs: [signFact(publicationStatement(data), signer)] }, 2);

const good = published('good.pkg', there);
const changed = published('changed.pkg', there);
const unsigned = published('unsigned.pkg', there);
const strange = published('strange.pkg', far);

let app: GraphqlApp;
beforeAll(async () => {
  const keys = new LiveSignerKeys({ serverId: 'test', name: 'Here', publicKey: '' } as ServerIdentity);
  keys.fold(registration);
  app = await GraphqlApp.start(undefined, keys);
  const lineage = { peerId: PEER, peerName: 'There', verifiedAt: '2026-01-02T03:04:06.000Z', lineage: [] };
  const { packageId } = good;
  await app.record(
    registration,
    signed(good, there),
    signed(changed, far),
    eventOf('PackagePublished', unsigned),
    signed(strange, far),
    eventOf('ReplicaReported', { packageId, ...lineage }, 2),
  );
});
afterAll(() => app.stop());

const FIELDS = 'register status text server { id name } actor at publicKey keyFingerprint';
const fingerprint = keyFingerprint(there.publicKey);

const signaturesOf = (filename: string) =>
  waitFor(filename, async () => {
    const { body } = await app.query(`{ package(filename: "${filename}") { signatures { ${FIELDS} } } }`);
    return body.data.package?.signatures;
  });

describe('a package', () => {
  it('shows which server signed what of it, by the name and the key that are known here', async () => {
    const berlin = {
      status: 'VERIFIED',
      text: `signed by Berlin, key ${fingerprint}`,
      server: { id: PEER, name: 'Berlin' },
      actor: 'eve',
      publicKey: there.publicKey,
      keyFingerprint: fingerprint,
    };
    const at = '2023-11-14T22:13:20.001Z';
    expect(await signaturesOf('good.pkg')).toEqual([
      { ...berlin, register: 'PUBLICATION', at },
      { ...berlin, register: 'FIRST_PUBLICATION', at: '2026-01-02T03:04:05.000Z' },
      { ...berlin, register: 'STAGE', at },
    ]);
  });

  it.each([
    ['changed.pkg', 'INVALID', /^not valid: .* is not by Berlin$/],
    ['strange.pkg', 'KEY_UNKNOWN', /^not verifiable: .* of Far is not known here$/],
    ['unsigned.pkg', 'UNSIGNED', /^unsigned$/],
  ])('%s shows %s', async (filename, status, text) => {
    const [told] = await signaturesOf(filename);
    expect(told).toMatchObject({ register: 'PUBLICATION', status, text: expect.stringMatching(text), actor: 'eve' });
  });

  it('shows the signature where its lineage begins', async () => {
    const lineage = await waitFor('the lineage', async () => {
      const ask = `{ package(filename: "good.pkg") { replicas { lineage { server { id } signature { status text } } } } }`;
      const { body } = await app.query(ask);
      return body.data.package?.replicas.find((one: { lineage: unknown[] }) => one.lineage.length > 0)?.lineage;
    });
    const signature = { status: 'VERIFIED', text: `signed by Berlin, key ${fingerprint}` };
    expect(lineage).toEqual([{ server: { id: PEER }, signature }]);
  });
});

it('entries of the audit trail show who signed, or which peer said it without a signature', async () => {
  const texts = await waitFor('the entries', async () => {
    const ask = `{ auditTrail(first: 10) { edges { node { kind target { label } signatures { status text } } } } }`;
    const { body } = await app.query(ask);
    const entries: { node: { target: { label: string }; signatures: unknown[] } }[] = body.data.auditTrail.edges;
    return entries.length === 6 ? entries.map(({ node }) => [node.target.label, node.signatures]) : null;
  });
  expect(texts.toReversed()).toEqual([
    ['Berlin', []],
    ['good.pkg', [{ status: 'VERIFIED', text: `signed by Berlin, key ${fingerprint}` }]],
    ['changed.pkg', [{ status: 'INVALID', text: expect.stringContaining('is not by Berlin') }]],
    ['unsigned.pkg', [{ status: 'UNSIGNED', text: 'unsigned, said by Berlin' }]],
    ['strange.pkg', [{ status: 'KEY_UNKNOWN', text: expect.stringContaining('of Far is not known here') }]],
    ['good.pkg', []],
  ]);
});

it('a peer shows the fingerprint of its key', async () => {
  const peers = await waitFor('the peer', async () => {
    const { body } = await app.query('{ peers { name publicKey keyFingerprint } }');
    return body.data.peers.length > 0 ? body.data.peers : null;
  });
  expect(peers).toEqual([{ name: 'Berlin', publicKey: there.publicKey, keyFingerprint: fingerprint }]);
});
