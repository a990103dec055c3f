import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import type { PackageFacts } from '../../../src/modules/packages/contracts/package-facts.js';
import { keyFingerprint } from '../../../src/platform/peer-calls/ed25519.js';
import { factsOf, HostilePeer, stampBy } from '../../support/hostile/hostile-peer.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { SigningServer } from '../../support/signing-server.js';
import { waitFor } from '../../support/wait-for.js';

/** Berlin and Munich are honest and registered with each other. The hostile peer is registered with Munich. */
let berlin: ServerUnderTest;
let munich: ServerUnderTest;
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
  [berlin, munich] = [new ServerUnderTest('berlin'), new ServerUnderTest('munich')];
  await Promise.all([berlin.start(), munich.start()]);
  await registerPeers(await munich.client(), await berlin.client());
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
  await Promise.all([berlin.dispose(), munich.dispose()]);
});

async function converges(filename: string, content: Buffer): Promise<void> {
  for (const server of [berlin, munich])
    await waitFor(
      `${filename} on ${server.name}`,
      async () => (await server.servedDigest(filename)) === sha256(content),
    );
}

const Trail = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ kind: z.string(), summary: z.string() }) })) }),
});
/** What the audit trail of Munich tells of one kind, the last first. */
async function told(kind: string): Promise<readonly string[]> {
  const query = `{ auditTrail(first: 100, filter: { kinds: ["${kind}"] }) { edges { node { kind summary } } } }`;
  return (await (await munich.client()).ask(query, Trail)).auditTrail.edges.map(({ node }) => node.summary);
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

/** Both honest packages are served as ever, on both servers. */
async function nothingChanged(): Promise<void> {
  await converges('berlin.pkg', ofBerlin);
  await converges('munich.pkg', ofMunich);
  for (const server of [berlin, munich]) expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
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
  const honest = (): PackageFacts => factsOf(`${randomUUID()}.pkg`, randomBytes(10), mallory.identity);
  const signed = (facts: PackageFacts) => ({ facts, proofs: [mallory.identity.facts.signPublication(facts)] });

  it.each<[string, () => Parameters<HostilePeer['tell']>[0]]>([
    ['NUL in the name of a person', () => signed({ ...honest(), uploadedBy: 'a\0b' })],
    ['half of a surrogate pair in it', () => signed({ ...honest(), uploadedBy: '\ud800' })],
    ['NUL in the name of a server', () => signed({ ...honest(), origin: { ...honest().origin, name: '\0' } })],
    ['letters that turn the direction of text', () => signed({ ...honest(), uploadedBy: 'a\u202egkp' })],
    ['a first publication in the year 0', () => signed({ ...honest(), firstPublishedAt: '0000-01-01T00:00:00Z' })],
    [
      'a copy of the year 0',
      () => ({ ...signed(honest()), held: { verifiedAt: '0000-01-01T00:00:00Z', lineage: [] } }),
    ],
    ['a stamp far ahead', () => signed({ ...honest(), publication: stampBy(mallory.identity.serverId, 86_400_000) })],
    ['more chunks than its size has', () => signed({ ...honest(), chunkCount: 1_000_000 })],
    ['a size below nothing', () => signed({ ...honest(), size: -1 })],
    ['a filename that leads elsewhere', () => signed({ ...honest(), filename: '../../etc/passwd' })],
    ['the id of another package', () => signed({ ...honest(), packageId: randomUUID() })],
    [
      'digests of the wrong length',
      () => ({ ...signed(honest()), digests: { first: 0, count: 1, sha1: 'AA==', sha256: 'AA==' } }),
    ],
    ['a stage that there is not', () => signed({ ...honest(), stage: 'Production' as 'Prod' })],
    ['a statement without an end', () => ({ facts: honest(), proofs: [{ statement: 'x'.repeat(100_000) } as never] })],
    ['no JSON', () => '{"facts": '],
    ['an array instead of an item', () => '[[[[]]]]'],
  ])('%s stops nothing', async (_, lie) => {
    mallory.tell(lie());
    await everythingIsHandled();
    await nothingChanged();
  });
});

it('after all of it both honest servers serve, upload and agree, also after a restart', async () => {
  await munich.stop();
  await munich.start();
  await nothingChanged();
  const [first, second] = [randomBytes(5_000), randomBytes(6_000)];
  expect((await berlin.put('last-1.pkg', first)).status).toBe(201);
  expect((await munich.put('last-2.pkg', second)).status).toBe(201);
  await converges('last-1.pkg', first);
  await converges('last-2.pkg', second);
});
