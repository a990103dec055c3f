import { describe, expect, it } from 'vitest';
import { SigningServer } from '../../../../test/support/signing-server.js';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { ALL_RIGHTS, type PeerRights } from '../../peers/contracts/peer-rights.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import { factText, type Register, type SignedFact } from '../contracts/signed-facts.js';
import { judgePeerFacts, type Trust } from './judge-peer-facts.js';
import { type AppliedRights, needsOtherPackages, type OtherPackage } from './peer-rights-rules.js';

const us = new SigningServer('us');
/** A server in production, registered here, which may do everything. */
const prod = new SigningServer('prod');
/** Registered here with the rights of each test. */
const dev = new SigningServer('dev');
/** Registered elsewhere. */
const far = new SigningServer('far');
const known = [us, prod, dev, far];

const stamp = (n: number, { serverId }: SigningServer): string =>
  `${n.toString(16).padStart(12, '0')}-0000-${serverId}`;

const publishedOn = (server: SigningServer, at: number, change: Partial<PackageFacts> = {}): PackageFacts => ({
  packageId: 'p1',
  filename: 'Chrome.pkg',
  size: 10,
  sha1: '00',
  sha256: '11',
  chunkSize: 1_048_576,
  chunkCount: 1,
  stage: 'Dev',
  stageStamp: stamp(at, server),
  publication: stamp(at, server),
  removal: null,
  firstPublishedAt: `2026-01-01T00:00:${String(at).padStart(2, '0')}Z`,
  origin: { serverId: server.serverId, name: server.name },
  uploadedBy: 'paula',
  ...change,
});

const trust: Trust = {
  ownServerId: 'us',
  verdictOf: ({ statement, publicKey, signature }) => {
    if (!verifyEd25519(publicKey, factText(statement), Buffer.from(signature, 'base64url'))) return 'forged';
    return known.some(({ serverId, publicKey: key }) => serverId === statement.serverId && key === publicKey)
      ? 'verified'
      : 'forged';
  },
  allowsUnsigned: () => true,
};

interface Case {
  readonly ours?: PackageFacts | null;
  readonly told: PackageFacts;
  readonly proofs: readonly SignedFact[];
  readonly others?: readonly OtherPackage[];
  /** The peer that tells. */
  readonly teller?: PeerRights;
  /** Rights of the server `dev`; null when it is not registered here. */
  readonly rights?: PeerRights | null;
}

function judge({ ours = null, told, proofs, others = [], teller = ALL_RIGHTS, rights = ALL_RIGHTS }: Case) {
  const registered: Readonly<Record<string, PeerRights | null>> = { prod: ALL_RIGHTS, dev: rights };
  const applied: AppliedRights = {
    ofTeller: teller,
    rightsOf: (serverId) => registered[serverId] ?? null,
    withFilename: others,
  };
  const authors = { stage: null, removal: null };
  const { accepted, refused } = judgePeerFacts(ours, { facts: told, proofs, authors }, trust, applied);
  expect(refused.map(({ code }) => code)).toEqual(refused.map(() => 'NOT_ALLOWED'));
  return { accepted, refused, registers: refused.map(({ register }) => register) };
}

const limited = (change: Partial<PeerRights>): PeerRights => ({ ...ALL_RIGHTS, ...change });
const DEV_ONLY = limited({ publishUpTo: 'Dev' });
const OTHER_FILES = limited({ filenames: ['dev-*', 'Chrome?.pkg'] });
const NO_TAKEOVER = limited({ mayTakeOver: false });
const OWN_ONLY = limited({ mayChangeOthers: false });
const EACH_LIMIT = [DEV_ONLY, OTHER_FILES, NO_TAKEOVER, OWN_ONLY] as const;

/** A change that a server tells, and which of the limits above does not allow it. */
interface Change {
  readonly register: Register;
  readonly what: string;
  readonly ours: PackageFacts | null;
  readonly told: PackageFacts;
  readonly sign: (server: SigningServer) => SignedFact;
  readonly others?: readonly OtherPackage[];
  readonly refusedBy: readonly PeerRights[];
}

const ofProd = publishedOn(prod, 10, { stage: 'Prod' });
const PROD_PACKAGE: OtherPackage = { packageId: 'p0', originId: 'prod', originName: 'PROD' };

const changesBy = (server: SigningServer): readonly Change[] => {
  const own = publishedOn(server, 10);
  const ownInProd = publishedOn(server, 10, { stage: 'Prod', stageStamp: stamp(12, prod) });
  const published = (what: string, told: PackageFacts, rest: Partial<Change> & Pick<Change, 'refusedBy'>): Change => ({
    register: 'publication',
    what,
    ours: null,
    told,
    sign: ({ facts }) => facts.signPublication(told),
    ...rest,
  });
  const staged = (what: string, ours: PackageFacts, stage: 'Dev' | 'Prod', refusedBy: Change['refusedBy']): Change => ({
    register: 'stage',
    what,
    ours,
    told: { ...ours, stage, stageStamp: stamp(20, server) },
    sign: ({ facts }) => facts.signStage(ours, stage, stamp(20, server), 'paula'),
    refusedBy,
  });
  const removed = (what: string, ours: PackageFacts, refusedBy: Change['refusedBy']): Change => ({
    register: 'removal',
    what,
    ours,
    told: { ...ours, removal: stamp(20, server) },
    sign: ({ facts }) => facts.signRemoval(ours, stamp(20, server), 'paula'),
    refusedBy,
  });
  return [
    published('a new package in Dev', own, { refusedBy: [OTHER_FILES] }),
    published('a new package in Prod', publishedOn(server, 10, { stage: 'Prod' }), {
      refusedBy: [DEV_ONLY, OTHER_FILES],
    }),
    published('its own package again', publishedOn(server, 20), { ours: own, refusedBy: [OTHER_FILES] }),
    published('its own package, which is in Prod now, again', publishedOn(server, 20), {
      ours: ownInProd,
      refusedBy: [DEV_ONLY, OTHER_FILES],
    }),
    published("another server's package again", publishedOn(server, 20), {
      ours: publishedOn(prod, 10),
      refusedBy: [OTHER_FILES, NO_TAKEOVER],
    }),
    published("a package under another server's filename", publishedOn(server, 20), {
      others: [PROD_PACKAGE],
      refusedBy: [OTHER_FILES, NO_TAKEOVER],
    }),
    published('a package under its own filename', publishedOn(server, 20), {
      others: [{ packageId: 'p0', originId: server.serverId, originName: server.name }],
      refusedBy: [OTHER_FILES],
    }),
    staged('its own package to Prod', own, 'Prod', [DEV_ONLY, OTHER_FILES]),
    staged('its own package, which is in Test, to Dev', { ...own, stage: 'Test' }, 'Dev', [DEV_ONLY, OTHER_FILES]),
    staged("another server's package to Prod", publishedOn(prod, 10), 'Prod', [DEV_ONLY, OTHER_FILES, OWN_ONLY]),
    staged("another server's package from Prod to Dev", ofProd, 'Dev', [DEV_ONLY, OTHER_FILES, OWN_ONLY]),
    removed('its own package', own, [OTHER_FILES]),
    removed('its own package, which is in Prod now', ownInProd, [DEV_ONLY, OTHER_FILES]),
    removed("another server's package", publishedOn(prod, 10), [OTHER_FILES, OWN_ONLY]),
    removed("another server's package in Prod", ofProd, [DEV_ONLY, OTHER_FILES, OWN_ONLY]),
    {
      register: 'first',
      what: "an earlier first publication of another server's package",
      ours: ofProd,
      told: { ...ofProd, firstPublishedAt: '2026-01-01T00:00:01Z' },
      sign: ({ facts }) => facts.signPublication(publishedOn(server, 5, { firstPublishedAt: '2026-01-01T00:00:01Z' })),
      refusedBy: [OTHER_FILES, OWN_ONLY],
    },
  ];
};

const nameOf = (rights: PeerRights): string => JSON.stringify(rights);

describe.each(EACH_LIMIT.map((rights) => [nameOf(rights), rights] as const))('the rights %s', (_, rights) => {
  const expected = ({ register, refusedBy }: Change): unknown =>
    refusedBy.includes(rights) ? expect.arrayContaining([register]) : [];

  it.each(changesBy(dev))('of the server where it happened count when it signs: $what', (change) => {
    const proofs = [change.sign(dev)];
    const judged = judge({ ...change, proofs, rights });
    expect(judged.registers).toEqual(expected(change));
    // Also when somebody tells it who may do everything, and not those of a teller who may do less.
    expect(judge({ ...change, proofs, teller: rights }).registers).toEqual([]);
    const { publication, origin, stage, removal } = change.ours ?? {};
    const kept = judged.registers.length > 0 && change.ours ? { publication, origin, stage, removal } : {};
    expect(judged.accepted ?? {}).toMatchObject(kept);
  });

  it.each(changesBy(far))('of the peer that tells count for a server that is not registered: $what', (change) => {
    expect(judge({ ...change, proofs: [change.sign(far)], teller: rights }).registers).toEqual(expected(change));
    expect(judge({ ...change, proofs: [change.sign(far)], rights }).registers).toEqual([]);
  });

  it.each(changesBy(dev))(
    'of a server that was unregistered do not count, but those of the teller: $what',
    (change) => {
      const proofs = [change.sign(dev)];
      expect(judge({ ...change, proofs, rights: null }).registers).toEqual([]);
      expect(judge({ ...change, proofs, rights: null, teller: rights }).registers).toEqual(expected(change));
    },
  );

  it.each(changesBy(dev).filter(({ register }) => register !== 'first'))(
    'of both count for what is not signed: $what',
    (change) => {
      expect(judge({ ...change, proofs: [], rights }).registers).toEqual(expected(change));
      expect(judge({ ...change, proofs: [], teller: rights }).registers).toEqual(expected(change));
      expect(judge({ ...change, proofs: [] }).registers).toEqual([]);
    },
  );

  it.each(changesBy(us))('of the teller do not count for what this server has signed: $what', (change) => {
    expect(judge({ ...change, proofs: [change.sign(us)], teller: rights }).registers).toEqual([]);
  });

  it.each(changesBy(prod))('of others do not count for a server that may do everything: $what', (change) => {
    expect(judge({ ...change, proofs: [change.sign(prod)], rights, teller: rights }).registers).toEqual([]);
  });
});

describe('a reason', () => {
  const reasonOf = (case_: Case): string | undefined => judge(case_).refused[0]?.reason;
  const again = publishedOn(dev, 20);
  const proofs = [dev.facts.signPublication(again)];

  it('says which right is missing', () => {
    const inProd = publishedOn(dev, 20, { stage: 'Prod' });
    const asProd = { told: inProd, proofs: [dev.facts.signPublication(inProd)], rights: DEV_ONLY };
    expect(reasonOf(asProd)).toBe(
      'The rights of the server where it happened end at the stage Dev and do not reach Prod.',
    );
    expect(reasonOf({ ours: ofProd, told: again, proofs, rights: DEV_ONLY })).toBe(
      'The rights of the server where it happened end at the stage Dev, and the package is in Prod here.',
    );
    expect(reasonOf({ told: again, proofs, rights: OTHER_FILES })).toBe(
      'The rights of the server where it happened are for filenames like dev-*, Chrome?.pkg.',
    );
    expect(reasonOf({ told: again, proofs, rights: NO_TAKEOVER, others: [PROD_PACKAGE] })).toBe(
      'The rights of the server where it happened do not allow taking over the filename of a package that PROD has published.',
    );
    expect(reasonOf({ ours: ofProd, told: again, proofs, rights: NO_TAKEOVER })).toBe(
      'The rights of the server where it happened do not allow publishing again what PROD has published.',
    );
    const told = { ...ofProd, removal: stamp(20, far) };
    expect(
      reasonOf({ ours: ofProd, told, proofs: [far.facts.signRemoval(ofProd, stamp(20, far))], teller: OWN_ONLY }),
    ).toBe('The rights of the peer that tells it do not allow changing what PROD has published.');
  });
});

describe('of several registers', () => {
  const own = publishedOn(dev, 10);
  const published = dev.facts.signPublication(own);

  it('a package is accepted at the stage of its publication when only a later stage is not allowed', () => {
    const promoted = { ...own, stage: 'Prod', stageStamp: stamp(20, dev) } as const;
    const proofs = [published, dev.facts.signStage(own, 'Prod', stamp(20, dev), 'paula')];
    const { accepted, registers } = judge({ told: promoted, proofs, rights: DEV_ONLY });
    expect(accepted).toEqual(own);
    expect(registers).toEqual(['stage']);
    const before = publishedOn(dev, 1, { firstPublishedAt: own.firstPublishedAt });
    expect(judge({ ours: before, told: promoted, proofs, rights: DEV_ONLY }).accepted).toEqual(own);
  });

  it('the promotion by a server that may do so is accepted with the publication by one that may not', () => {
    const promoted = { ...own, stage: 'Prod', stageStamp: stamp(20, prod) } as const;
    const proofs = [published, prod.facts.signStage(own, 'Prod', stamp(20, prod), 'paula')];
    expect(judge({ told: promoted, proofs, rights: DEV_ONLY })).toMatchObject({ accepted: promoted, registers: [] });
  });

  it('a refused publication brings neither its stage nor the time of its first publication with it', () => {
    const again = publishedOn(dev, 20, { firstPublishedAt: '2026-01-01T00:00:01Z' });
    const told = { ours: ofProd, told: again, proofs: [dev.facts.signPublication(again)], rights: NO_TAKEOVER };
    const { accepted, registers } = judge(told);
    expect(accepted).toEqual(ofProd);
    expect(registers).toEqual(['publication', 'first', 'stage']);
    expect(judge({ ...told, ours: null, others: [PROD_PACKAGE] }).accepted).toBeNull();
  });

  it('the publisher is the last one that is accepted', () => {
    // The server in production has published it again, so it is not the package of the development server any more.
    const again = publishedOn(prod, 15, { firstPublishedAt: own.firstPublishedAt });
    const told = { ...again, removal: stamp(20, dev) };
    const proofs = [published, prod.facts.signPublication(again), dev.facts.signRemoval(own, stamp(20, dev), 'paula')];
    for (const ours of [null, own, again])
      expect(judge({ ours, told, proofs, rights: OWN_ONLY })).toMatchObject({
        accepted: again,
        registers: ['removal'],
      });
  });

  it('a package that is new here is not demoted in the same breath', () => {
    const demoted = { ...ofProd, stage: 'Dev', stageStamp: stamp(20, dev) } as const;
    const proofs = [prod.facts.signPublication(ofProd), dev.facts.signStage(ofProd, 'Dev', stamp(20, dev), 'paula')];
    for (const rights of [DEV_ONLY, OWN_ONLY])
      expect(judge({ told: demoted, proofs, rights })).toMatchObject({ accepted: ofProd, registers: ['stage'] });
  });

  it('a removed package in Prod does not come back with the stage that it had', () => {
    const gone = {
      ...publishedOn(dev, 10),
      stage: 'Prod',
      stageStamp: stamp(12, prod),
      removal: stamp(13, prod),
    } as const;
    const again = { ...gone, publication: stamp(20, dev) };
    const proof = dev.facts.signPublication(again, false);
    expect(judge({ ours: gone, told: again, proofs: [proof], rights: DEV_ONLY }).accepted).toEqual(gone);
  });
});

describe('the other packages with a filename', () => {
  const rightsOf = (serverId: string) => (serverId === 'dev' ? NO_TAKEOVER : ALL_RIGHTS);
  const byDev = publishedOn(dev, 20);

  it('are needed only for a publication of a server, or by a peer, that may not take over', () => {
    const all = { ofTeller: ALL_RIGHTS, rightsOf };
    expect(needsOtherPackages(null, byDev, all)).toBe(true);
    expect(needsOtherPackages(ofProd, byDev, all)).toBe(true);
    expect(needsOtherPackages(byDev, byDev, all)).toBe(false);
    expect(needsOtherPackages(null, publishedOn(prod, 20), all)).toBe(false);
    expect(needsOtherPackages(null, publishedOn(prod, 20), { ...all, ofTeller: NO_TAKEOVER })).toBe(true);
    expect(needsOtherPackages(null, byDev, { ofTeller: ALL_RIGHTS, rightsOf: () => null })).toBe(false);
  });
});
