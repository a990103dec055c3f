import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import type { PackageFacts } from '../../../src/modules/packages/contracts/package-facts.js';
import { keyFingerprint } from '../../../src/platform/peer-calls/ed25519.js';
import { HostilePeer } from '../../support/hostile/hostile-peer.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { factsOf, SigningServer, stampBy } from '../../support/signing-server.js';
import { waitFor } from '../../support/wait-for.js';

/**
 * Three honest servers in a chain: Munich, Berlin, Vienna. The hostile peer is registered with Munich, and Vienna is reached
 * only through Berlin.
 */
let berlin: ServerUnderTest;
let munich: ServerUnderTest;
let vienna: ServerUnderTest;
let mallory: HostilePeer;
const ofBerlin = randomBytes(3_000);
const ofMunich = randomBytes(4_000);
let factsOfBerlin: PackageFacts;
let factsOfMunich: PackageFacts;

const Server = z.object({ server: z.object({ id: z.string(), name: z.string() }) });
const identityOf = async (server: ServerUnderTest): Promise<SigningServer> => {
  const { id, name } = (await (await server.client()).ask('{ server { id name } }', Server)).server;
  return new SigningServer(id, name);
};
/** Berlin and Munich as others know them, with keys that they do not have. */
let posingBerlin: SigningServer;
let posingMunich: SigningServer;

beforeAll(async () => {
  [berlin, munich, vienna] = ['berlin', 'munich', 'vienna'].map((name) => new ServerUnderTest(name)) as [
    ServerUnderTest,
    ServerUnderTest,
    ServerUnderTest,
  ];
  await Promise.all(honest().map((server) => server.start()));
  await registerPeers(await munich.client(), await berlin.client());
  await registerPeers(await vienna.client(), await berlin.client());
  posingBerlin = await identityOf(berlin);
  posingMunich = await identityOf(munich);
  expect((await berlin.put('berlin.pkg', ofBerlin)).status).toBe(201);
  expect((await munich.put('munich.pkg', ofMunich)).status).toBe(201);
  await converges('berlin.pkg', ofBerlin);
  await converges('munich.pkg', ofMunich);
  factsOfBerlin = factsOf('berlin.pkg', ofBerlin, posingBerlin);
  factsOfMunich = factsOf('munich.pkg', ofMunich, posingMunich);
  mallory = await new HostilePeer().register(munich);
});
afterAll(async () => {
  await mallory.dispose();
  await Promise.all(honest().map((server) => server.dispose()));
});

const honest = (): readonly ServerUnderTest[] => [munich, berlin, vienna];

async function converges(filename: string, content: Buffer): Promise<void> {
  for (const server of honest())
    await waitFor(
      `${filename} on ${server.name}`,
      async () => (await server.servedDigest(filename)) === sha256(content),
    );
}

const Trail = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ kind: z.string(), summary: z.string() }) })) }),
});
/** What the audit trail of a server tells of one kind, the last first. */
async function told(kind: string, server = munich): Promise<readonly string[]> {
  const query = `{ auditTrail(first: 100, filter: { kinds: ["${kind}"] }) { edges { node { kind summary } } } }`;
  return (await (await server.client()).ask(query, Trail)).auditTrail.edges.map(({ node }) => node.summary);
}
/** An honest package of the hostile peer, after whose arrival everything that it told before was handled. */
async function everythingIsHandled(): Promise<void> {
  const content = randomBytes(10);
  const facts = factsOf(`${randomUUID()}.pkg`, content, mallory.identity);
  mallory.tell({ facts, proofs: [mallory.identity.facts.signPublication(facts)] });
  const Known = z.object({ package: z.object({ id: z.string() }).nullable() });
  await waitFor('the last item to be handled', async () => {
    const query = `{ package(id: "${facts.packageId}") { id } }`;
    return (await (await munich.client()).ask(query, Known)).package !== null;
  });
}

/** The honest packages are served as ever, on all servers. */
async function nothingChanged(): Promise<void> {
  await converges('berlin.pkg', ofBerlin);
  await converges('munich.pkg', ofMunich);
  for (const server of honest()) expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
}

/** A change of the facts, told by the hostile peer, and whose change it says it is. */
type Told = (signed: boolean) => Parameters<HostilePeer['tell']>[0];

const removalOf =
  (facts: () => PackageFacts, by: () => SigningServer): Told =>
  (signed) => {
    const stamp = stampBy(by().serverId);
    const proofs = signed ? [by().facts.signRemoval(facts(), stamp, 'admin')] : [];
    return { facts: { ...facts(), removal: stamp }, proofs, held: null, digests: null };
  };
const demotionOf =
  (facts: () => PackageFacts, by: () => SigningServer): Told =>
  (signed) => {
    const stageStamp = stampBy(by().serverId);
    const proofs = signed ? [by().facts.signStage(facts(), 'Dev', stageStamp, 'admin')] : [];
    return { facts: { ...facts(), stage: 'Dev', stageStamp }, proofs };
  };
const publicationBy =
  (filename: string, by: () => SigningServer): Told =>
  (signed) => {
    const facts = factsOf(filename, randomBytes(100), by());
    return { facts, proofs: signed ? [by().facts.signPublication(facts)] : [] };
  };

const CLAIMS: readonly (readonly [string, Told])[] = [
  [
    'the victim removed its own package',
    removalOf(
      () => factsOfMunich,
      () => posingMunich,
    ),
  ],
  [
    'the victim removed the package of another server',
    removalOf(
      () => factsOfBerlin,
      () => posingMunich,
    ),
  ],
  [
    'the victim demoted its own package',
    demotionOf(
      () => factsOfMunich,
      () => posingMunich,
    ),
  ],
  ['the victim published another content under its filename', publicationBy('munich.pkg', () => posingMunich)],
  [
    'another server removed its package',
    removalOf(
      () => factsOfBerlin,
      () => posingBerlin,
    ),
  ],
  [
    'another server removed the package of the victim',
    removalOf(
      () => factsOfMunich,
      () => posingBerlin,
    ),
  ],
  [
    'another server demoted its package',
    demotionOf(
      () => factsOfBerlin,
      () => posingBerlin,
    ),
  ],
  ['another server published another content under its filename', publicationBy('berlin.pkg', () => posingBerlin)],
];

describe.each(CLAIMS)('a peer that says that %s', (_what, lie) => {
  it.each([
    ['without a signature', false],
    ['with a signature by another key', true],
  ])('%s is not believed, and the audit trail says what it told', async (_, signed) => {
    const before = (await told('PackageFactRefused')).length;
    mallory.tell(lie(signed));
    await everythingIsHandled();
    await nothingChanged();
    const summaries = await told('PackageFactRefused');
    expect(summaries.length).toBeGreaterThan(before);
    expect(summaries[0]).toMatch(/^Refused what mallory told/);
    // What is refused goes no further.
    for (const server of [berlin, vienna]) expect(await told('PackageFactRefused', server)).toEqual([]);
  });
});

it('what is told in the name of the victim is named as that', async () => {
  const inItsName = (await told('PackageFactRefused')).filter((summary) =>
    summary.includes('in the name of this server'),
  );
  expect(inItsName.length).toBeGreaterThanOrEqual(2 * CLAIMS.filter(([what]) => what.startsWith('the victim')).length);
});

describe('a peer that poses as another server', () => {
  it('by introducing it with another key is refused, once, and shown', async () => {
    const facts = factsOf('berlin-2.pkg', randomBytes(100), posingBerlin);
    const introductions = [mallory.introduce(posingBerlin, posingBerlin.publicKey)];
    const lie = { facts, proofs: [posingBerlin.facts.signPublication(facts)], introductions };
    mallory.tell(lie);
    mallory.tell(lie);
    await everythingIsHandled();
    expect(await munich.servedDigest('berlin-2.pkg')).toBeNull();
    const refused = await told('SignerKeyRefused');
    const key = keyFingerprint(posingBerlin.publicKey);
    expect(refused).toEqual([
      `Refused the key ${key} of berlin that mallory introduced, because it contradicts the known keys`,
    ]);
  });

  it('by registering under its id is refused, and the right server stays registered', async () => {
    const answer = await mallory.claim(munich, posingWithKeyOf(mallory));
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ code: 'PEER_KEY_CONFLICT' });
    const content = randomBytes(2_000);
    expect((await berlin.put('after.pkg', content)).status).toBe(201);
    await converges('after.pkg', content);
  });

  it('by reusing its signature for another package, another stamp or another person is refused', async () => {
    const changes: readonly ((facts: PackageFacts) => object)[] = [
      () => ({ uploadedBy: 'paula' }),
      () => ({ publication: stampBy(mallory.identity.serverId) }),
      () => ({ origin: { serverId: posingBerlin.serverId, name: 'berlin' } }),
    ];
    for (const [i, change] of changes.entries()) {
      const facts = factsOf(`mine-${i}.pkg`, randomBytes(100), mallory.identity);
      const proof = mallory.identity.facts.signPublication(facts);
      mallory.tell({ facts: { ...facts, ...change(facts) }, proofs: [proof] });
    }
    await everythingIsHandled();
    const summaries = await told('PackageFactRefused');
    for (const i of changes.keys()) {
      expect(summaries.filter((summary) => summary.includes(`mine-${i}.pkg`))).toHaveLength(1);
      expect(await munich.servedDigest(`mine-${i}.pkg`)).toBeNull();
    }
  });
});

/** The hostile key under the id of Berlin. */
const posingWithKeyOf = (peer: HostilePeer): SigningServer =>
  Object.create(peer.identity, { serverId: { value: posingBerlin.serverId }, name: { value: 'berlin' } });

describe('a message that could harm', () => {
  const good = (): PackageFacts => factsOf(`${randomUUID()}.pkg`, randomBytes(10), mallory.identity);
  const signed = (facts: PackageFacts) => ({ facts, proofs: [mallory.identity.facts.signPublication(facts)] });

  it.each<[string, () => Parameters<HostilePeer['tell']>[0]]>([
    ['NUL in the name of a person', () => signed({ ...good(), uploadedBy: 'a\0b' })],
    ['half of a surrogate pair in it', () => signed({ ...good(), uploadedBy: '\ud800' })],
    ['NUL in the name of a server', () => signed({ ...good(), origin: { ...good().origin, name: '\0' } })],
    ['letters that turn the direction of text', () => signed({ ...good(), uploadedBy: 'a\u202egkp' })],
    ['a first publication in the year 0', () => signed({ ...good(), firstPublishedAt: '0000-01-01T00:00:00Z' })],
    ['a copy of the year 0', () => ({ ...signed(good()), held: { verifiedAt: '0000-01-01T00:00:00Z', lineage: [] } })],
    ['a stamp far ahead', () => signed({ ...good(), publication: stampBy(mallory.identity.serverId, 86_400_000) })],
    ['more chunks than its size has', () => signed({ ...good(), chunkCount: 1_000_000 })],
    ['a size below nothing', () => signed({ ...good(), size: -1 })],
    ['a filename that leads elsewhere', () => signed({ ...good(), filename: '../../etc/passwd' })],
    ['the id of another package', () => signed({ ...good(), packageId: randomUUID() })],
    [
      'digests of the wrong length',
      () => ({ ...signed(good()), digests: { first: 0, count: 1, sha1: 'AA==', sha256: 'AA==' } }),
    ],
    ['a stage that there is not', () => signed({ ...good(), stage: 'Production' as 'Prod' })],
    ['a statement without an end', () => ({ facts: good(), proofs: [{ statement: 'x'.repeat(100_000) } as never] })],
    ['no JSON', () => '{"facts": '],
    ['an array instead of an item', () => '[[[[]]]]'],
  ])('%s stops nothing', async (_, lie) => {
    mallory.tell(lie());
    await everythingIsHandled();
    await nothingChanged();
  });
});

const MANIFEST_BYTES = 84 * 1024 * 1024;
/** The largest package that there may be. Its manifest may have 80 bytes for each of its chunks. */
const TIB = 2 ** 40;

describe('a manifest of 84 MB', () => {
  const announce = (change: Partial<PackageFacts>) => {
    const facts = factsOf(`${randomUUID()}.pkg`, randomBytes(10), mallory.identity, change);
    const proofs = [mallory.identity.facts.signPublication(facts)];
    const taken = mallory.answerManifest(facts.packageId, MANIFEST_BYTES);
    mallory.tell({ facts, proofs, digests: null });
    return { facts, taken };
  };
  const Found = z.object({ package: z.object({ id: z.string() }).nullable() });

  it.each([
    ['one chunk', {}, MANIFEST_BYTES / 4],
    ['1 TiB', { size: TIB, chunkCount: TIB / (1024 * 1024) }, MANIFEST_BYTES + 1024 * 1024],
  ])('for a package of %s is not read further than that needs, and records nothing', async (_, change, most) => {
    const { facts, taken } = announce(change);
    expect(await taken).toBeLessThan(most);
    await everythingIsHandled();
    await nothingChanged();
    for (const server of honest()) {
      const query = `{ package(id: "${facts.packageId}") { id } }`;
      expect(await (await server.client()).ask(query, Found)).toEqual({ package: null });
    }
  });
});

it('a peer that names the address of secrets is not called there, and its status says so', async () => {
  const url = 'http://169.254.169.254';
  const serverId = randomUUID();
  const posing: SigningServer = Object.create(mallory.identity, {
    serverId: { value: serverId },
    name: { value: 'metadata' },
    url: { value: url },
  });
  expect((await mallory.claim(munich, posing)).ok).toBe(true);
  const Peers = z.object({
    peers: z.array(z.object({ id: z.string(), contact: z.object({ lastError: z.string().nullable() }).nullable() })),
  });
  const client = await munich.client();
  await waitFor('the status to say so', async () => {
    const { peers } = await client.ask('{ peers { id contact { lastError } } }', Peers);
    const error = peers.find(({ id }) => id === serverId)?.contact?.lastError ?? '';
    return error.startsWith('metadata: 169.254.169.254 is an address at which clouds give out secrets');
  });
  await client.ask(`mutation { unregisterPeer(id: "${serverId}") { id } }`, z.object({}));
  await nothingChanged();
});

it('after all of it the honest servers serve, upload and agree, also after a restart', async () => {
  await munich.stop();
  await munich.start();
  await nothingChanged();
  const [first, second] = [randomBytes(5_000), randomBytes(6_000)];
  expect((await berlin.put('last-1.pkg', first)).status).toBe(201);
  expect((await munich.put('last-2.pkg', second)).status).toBe(201);
  await converges('last-1.pkg', first);
  await converges('last-2.pkg', second);
});
