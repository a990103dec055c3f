import { describe, expect, it } from 'vitest';
import type { Json } from '../../../kernel/events.js';
import type { PackagePublished } from '../../packages/contracts/package.events.js';
import type { FactStatement, SignedFact } from '../../packages/contracts/signed-facts.js';
import { OWN_SERVER, PEER, publication } from '../../../../test/support/read-side.js';
import { publicationStatement, signFact } from '../../../../test/support/sign-fact.js';
import { SigningServer } from '../../../../test/support/signing-server.js';
import { FactCheck } from './fact-check.js';
import { SignerKeyHistory } from './signer-key-history.js';

const FAR = '0192c7a0-0000-7000-8000-0000000000ff';
const here = new SigningServer(OWN_SERVER, 'Here');
const peer = new SigningServer(PEER, 'There');
const far = new SigningServer(FAR, 'Far');

const NONE = { verified: 0, keyUnknown: 0, unsigned: 0, invalid: 0 };
const CORRELATION = '0192c7a0-0000-7000-8000-000000000001';

/** A check that is shown events one after the other. */
class Checked {
  private number = 0;

  constructor(readonly check = new FactCheck(new SignerKeyHistory(), true)) {}

  show(type: string, data: object, actor = 'admin', recordedAt = '2026-01-02T03:04:05.678Z'): this {
    this.number += 1;
    const metadata = { serverId: OWN_SERVER, actor: { kind: 'account', id: 'a', name: actor }, address: null };
    const json: Json = JSON.parse(JSON.stringify(data));
    const placed = { number: this.number, id: `e-${this.number}`, recordedAt };
    this.check.checkEvent({ ...placed, type, data: json, metadata: { ...metadata, correlationId: CORRELATION } });
    return this;
  }

  get told(): string[] {
    return this.check.problems.map(({ what }) => what);
  }
}

const INITIALISED = { serverId: OWN_SERVER, publicKey: here.publicKey };
const REGISTERED = { peerId: PEER, publicKey: peer.publicKey };
const withKeys = (): Checked => new Checked().show('ServerInitialised', INITIALISED).show('PeerRegistered', REGISTERED);

type Published = PackagePublished['data'];
const local = publication('local.pkg');
const stampOf = (time: number, serverId: string): string =>
  `${(1_700_000_000_000 + time).toString(16).padStart(12, '0')}-0000-${serverId}`;
const publishedOn = ({ serverId, name }: SigningServer): Published => ({
  ...publication(`of ${name}.pkg`, { origin: { serverId, name }, source: { kind: 'peer', peerId: PEER } }),
  publication: stampOf(2, serverId),
  stageStamp: stampOf(1, serverId),
});
const signed = (data: Published, signer: SigningServer): Published => ({
  ...data,
  proofs: [signFact(publicationStatement(data), signer)],
});

const stageOf = (data: Published, signer: SigningServer, actor: string): FactStatement => {
  const { packageId, filename, sha256 } = data;
  const about = { packageId, filename, sha256, serverId: signer.serverId, serverName: signer.name, actor };
  return { kind: 'stage', ...about, stage: 'Test', stamp: stampOf(5, signer.serverId) };
};

const staged = (data: Published, proof: SignedFact | null, more: object = {}) => {
  const { packageId, filename } = data;
  const stamp = proof?.statement.kind === 'stage' ? proof.statement.stamp : stampOf(5, PEER);
  return { packageId, filename, from: 'Prod', to: 'Test', stamp, source: { kind: 'local' }, proof, ...more };
};

const removalOf = (data: Published, signer: SigningServer, actor: string): FactStatement => {
  const { packageId, filename, sha256 } = data;
  const about = { packageId, filename, sha256, serverId: signer.serverId, serverName: signer.name, actor };
  return { kind: 'removal', ...about, stamp: stampOf(6, signer.serverId) };
};

describe('signed facts in a log', () => {
  it('are verified with the keys of this server, of peers and of introduced servers', () => {
    const checked = withKeys()
      .show('SignerIntroduced', { serverId: FAR, keys: [far.publicKey], current: far.publicKey })
      .show('PackagePublished', signed(local, here))
      .show('PackagePublished', signed(publishedOn(peer), peer))
      .show('PackagePublished', signed(publishedOn(far), far))
      .show('PackageStageChanged', staged(local, signFact(stageOf(local, here, 'admin'), here)));
    expect(checked.told).toEqual([]);
    expect(checked.check.counts).toEqual({ ...NONE, verified: 4 });
  });

  it('of an unknown server are counted, and verified once the log names the key', () => {
    const data = publishedOn(far);
    const checked = withKeys().show('PackagePublished', signed(data, far));
    expect(checked.check.counts).toEqual({ ...NONE, keyUnknown: 1 });
    checked.show('SignerIntroduced', { serverId: FAR, keys: [far.publicKey], current: far.publicKey });
    expect(checked.check.counts).toEqual({ ...NONE, verified: 1 });
    expect(checked.told).toEqual([]);
  });

  it('without a signature are counted once, until they are signed', () => {
    const checked = withKeys().show('PackagePublished', local).show('PackagePublished', local);
    checked.show('PackageRemoved', { ...staged(local, null), stamp: stampOf(6, OWN_SERVER) });
    expect(checked.check.counts).toEqual({ ...NONE, unsigned: 2 });
    const { packageId, filename } = local;
    const proofs = [signFact({ ...publicationStatement(local), stage: null }, here)];
    checked.show('PackageFactsSigned', { packageId, filename, proofs, source: { kind: 'local' } });
    expect(checked.check.counts).toEqual({ ...NONE, verified: 1, unsigned: 1 });
  });

  it('of a former key are verified, and not those that were made after it was replaced', () => {
    const next = new SigningServer(PEER, 'There');
    const rotated = { peerId: PEER, publicKey: next.publicKey };
    const before = new Date(1_700_000_000_000).toISOString();
    const checked = withKeys().show('PeerKeyRotated', rotated, 'admin', before);
    checked.show('PackagePublished', signed(publishedOn(peer), peer));
    expect(checked.check.counts).toEqual({ ...NONE, verified: 1 });
    const late = { ...publishedOn(peer), publication: stampOf(600_000, PEER) };
    checked.show('PackagePublished', signed(late, peer));
    expect(checked.told).toEqual([expect.stringContaining('did not have by then')]);
  });

  it('are not verified against keys that a part of a log may lack', () => {
    const checked = new Checked(new FactCheck(new SignerKeyHistory(), false));
    checked.check.keys.addKey(OWN_SERVER, new SigningServer(OWN_SERVER, 'Here').publicKey, 0);
    expect(checked.show('PackagePublished', signed(local, here)).check.counts).toEqual({ ...NONE, keyUnknown: 1 });
  });

  it('that were recorded by an earlier version are not looked at', () => {
    const checked = withKeys().show('PackagePublished', { filename: 'a.pkg' }).show('PackageRemoved', {});
    expect(checked.check.counts).toEqual(NONE);
  });
});

describe('what is told', () => {
  const publishedBySigner = signed(local, here);
  const [proof] = publishedBySigner.proofs ?? [];
  if (!proof) throw new Error('There is no proof');
  const withStatement = (change: object): Published => {
    const statement = { ...proof.statement, ...change };
    return { ...publishedBySigner, proofs: [{ ...proof, statement }] };
  };
  const ofPeer = signFact(stageOf(local, peer, 'eve'), peer);
  const by = { serverId: PEER, serverName: 'There', actor: 'eve' };
  const fromPeer = { source: { kind: 'peer', peerId: PEER } };

  it.each([
    ['another actor in a statement', withStatement({ actor: 'mallory' }), 'does not fit its signature'],
    ['another digest in a statement', withStatement({ sha256: 'f'.repeat(64) }), 'does not fit its signature'],
    ['a member that is not signed', withStatement({ more: 1 }), "can't be read"],
    ['another actor beside the statement', { ...publishedBySigner, uploadedBy: 'mallory' }, 'another server or actor'],
    [
      'another origin beside the statement',
      { ...publishedBySigner, origin: { serverId: PEER, name: 'There' } },
      'another server or actor',
    ],
    ['other digests beside the statement', { ...publishedBySigner, sha1: 'b'.repeat(40) }, 'other digests'],
    ['another stage beside the statement', { ...publishedBySigner, stage: 'Dev' }, 'another stage'],
    [
      'another first publication beside the statement',
      { ...publishedBySigner, firstPublishedAt: '2020-01-01T00:00:00Z' },
      'first publication',
    ],
    ['another filename beside the statement', { ...publishedBySigner, filename: 'b.pkg' }, 'another package'],
    ['the key of another server', signed(local, peer), 'did not have by then'],
    ['a stamp of another server', signed({ ...local, publication: stampOf(2, PEER) }, here), 'time stamp of another'],
    ['a statement that is none', { ...local, proofs: [{ statement: 1 }] }, "can't be read"],
    ['an event that cannot be read beside its statement', { proofs: publishedBySigner.proofs }, "can't be read"],
  ])('%s', (_, data, what) => {
    const checked = withKeys().show('PackagePublished', data);
    expect(checked.told).toEqual([expect.stringContaining(what)]);
    expect(checked.check.problems).toMatchObject([{ wrong: 'fact', number: 3, upTo: 3, eventId: 'e-3' }]);
    expect(checked.check.counts).toEqual({ ...NONE, invalid: 1 });
  });

  it.each([
    ['another author', { by: { ...by, actor: 'alice' } }, 'another server or actor'],
    ['no author', { by: null }, 'another server or actor'],
    ['another stage', { by, to: 'Dev' }, 'another stage'],
    ['that it happened here', { by, source: { kind: 'local' } }, 'is of another server'],
  ])('%s beside the statement of a stage', (_, more, what) => {
    expect(withKeys().show('PackageStageChanged', staged(local, ofPeer, { ...fromPeer, by })).told).toEqual([]);
    const checked = withKeys().show('PackageStageChanged', staged(local, ofPeer, { ...fromPeer, ...more }));
    expect(checked.told).toEqual([expect.stringContaining(what)]);
  });

  it('another actor in the metadata of a change on this server', () => {
    const data = staged(local, signFact(stageOf(local, here, 'admin'), here));
    expect(withKeys().show('PackageStageChanged', data, 'admin').told).toEqual([]);
    const checked = withKeys().show('PackageStageChanged', data, 'mallory');
    expect(checked.told).toEqual([expect.stringContaining('another server or actor')]);
  });

  it('another removal than the statement is about', () => {
    const removal = signFact(removalOf(local, here, 'admin'), here);
    const data = { ...staged(local, null), stamp: stampOf(6, OWN_SERVER), proof: removal };
    expect(withKeys().show('PackageRemoved', data).told).toEqual([]);
    const other = { ...data, stamp: stampOf(7, OWN_SERVER) };
    expect(withKeys().show('PackageRemoved', other).told).toEqual([expect.stringContaining('another removal')]);
    expect(withKeys().show('PackageStageChanged', { ...other, to: 'Test' }).told).toHaveLength(1);
  });

  it('every invalid one, and not only the first', () => {
    const bad = { ...publishedBySigner, uploadedBy: 'mallory' };
    expect(withKeys().show('PackagePublished', bad).show('PackagePublished', bad).told).toHaveLength(2);
  });
});
