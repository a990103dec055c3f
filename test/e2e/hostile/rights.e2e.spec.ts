import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import type { PackageFacts } from '../../../src/modules/packages/contracts/package-facts.js';
import { HostilePeer, type Lie } from '../../support/hostile/hostile-peer.js';
import { factsOf, stampBy } from '../../support/signing-server.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

/** Two servers in production, and a development server that was taken over: it may publish up to Dev, and nothing else. */
let berlin: ServerUnderTest;
let munich: ServerUnderTest;
let dev: HostilePeer;
const chrome = randomBytes(3_000);
let factsOfChrome: PackageFacts;

const LIMITED = '{ publishUpTo: Dev, mayTakeOver: false, mayChangeOthers: false }';
const ALL = '{ publishUpTo: Prod, mayTakeOver: true, mayChangeOthers: true }';
const Peer = z.object({ setPeerRights: z.object({ id: z.string() }) });
async function setRights(server: ServerUnderTest, rights: string): Promise<void> {
  const mutation = `mutation { setPeerRights(id: "${dev.identity.serverId}", rights: ${rights}) { id } }`;
  await (await server.client()).ask(mutation, Peer);
}

async function setRightsOnBoth(rights: string): Promise<void> {
  for (const server of [berlin, munich]) await setRights(server, rights);
}

const Server = z.object({ server: z.object({ id: z.string(), name: z.string() }) });

beforeAll(async () => {
  [berlin, munich] = [new ServerUnderTest('berlin'), new ServerUnderTest('munich')];
  await Promise.all([berlin.start(), munich.start()]);
  await registerPeers(await munich.client(), await berlin.client());
  expect((await munich.put('Chrome.pkg', chrome)).status).toBe(201);
  await serveChrome();
  const { id, name } = (await (await munich.client()).ask('{ server { id name } }', Server)).server;
  factsOfChrome = factsOf('Chrome.pkg', chrome, { serverId: id, name });
  dev = await new HostilePeer().register(munich);
  await dev.claim(berlin, dev.identity);
  await setRightsOnBoth(LIMITED);
});
afterAll(async () => {
  await dev.dispose();
  await Promise.all([berlin.dispose(), munich.dispose()]);
});

async function serveChrome(): Promise<void> {
  for (const server of [berlin, munich])
    await waitFor(`Chrome on ${server.name}`, async () => (await server.servedDigest('Chrome.pkg')) === sha256(chrome));
}

const Trail = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ summary: z.string() }) })) }),
});
async function refusals(server: ServerUnderTest): Promise<readonly string[]> {
  const query = '{ auditTrail(first: 100, filter: { kinds: ["PackageFactRefused"] }) { edges { node { summary } } } }';
  return (await (await server.client()).ask(query, Trail)).auditTrail.edges.map(({ node }) => node.summary);
}

/** A package that it may not publish. When a server has refused it, everything that was told before is handled. */
async function everythingIsHandled(): Promise<void> {
  const facts = factsOf(`${randomUUID()}.pkg`, randomBytes(10), dev.identity);
  await setRightsOnBoth('{ publishUpTo: Dev }');
  dev.tell({ facts, proofs: [dev.identity.facts.signPublication(facts)] });
  for (const server of [berlin, munich])
    await waitFor(`the last item on ${server.name}`, async () =>
      (await refusals(server)).some((summary) => summary.includes(facts.filename)),
    );
}

const replaced = (): Lie => {
  const facts = factsOf('Chrome.pkg', randomBytes(100), dev.identity);
  return { facts, proofs: [dev.identity.facts.signPublication(facts)] };
};

const LIES = [
  ['replace Chrome.pkg', replaced, /the publication of Chrome\.pkg .* do not reach Prod/],
  [
    'demote it',
    () => {
      const stageStamp = stampBy(dev.identity.serverId);
      const proofs = [dev.identity.facts.signStage(factsOfChrome, 'Dev', stageStamp, 'admin')];
      return { facts: { ...factsOfChrome, stage: 'Dev', stageStamp }, proofs };
    },
    /change of the stage of Chrome\.pkg .* the package is in Prod here/,
  ],
  [
    'remove it',
    () => {
      const removal = stampBy(dev.identity.serverId);
      const proofs = [dev.identity.facts.signRemoval(factsOfChrome, removal, 'admin')];
      return { facts: { ...factsOfChrome, removal }, proofs };
    },
    /the removal of Chrome\.pkg .* the package is in Prod here/,
  ],
  [
    'send it again as uploaded by somebody else',
    () => {
      const facts = factsOf('Chrome.pkg', chrome, dev.identity, { stage: 'Dev', uploadedBy: 'publisher' });
      return { facts, proofs: [dev.identity.facts.signPublication(facts)] };
    },
    /the publication of Chrome\.pkg by publisher on mallory.* the package is in Prod here/,
  ],
] as const satisfies readonly (readonly [string, () => Lie, RegExp])[];

describe('a development server that was taken over', () => {
  it.each<readonly [string, () => Lie, RegExp]>(LIES)(
    'cannot %s, and the audit trails say so',
    async (_, lie, told) => {
      dev.tell(lie());
      await everythingIsHandled();
      await serveChrome();
      for (const server of [berlin, munich])
        await waitFor(`the refusal on ${server.name}`, async () =>
          (await refusals(server)).some((summary) => told.test(summary)),
        );
    },
  );

  it.each<readonly [string, string, () => Lie, RegExp]>([
    [
      'replace it',
      'mayTakeOver',
      replaced,
      /do not allow taking over the filename of a package that munich has published/,
    ],
    ['remove it', 'mayChangeOthers', LIES[2][1], /do not allow changing what munich has published/],
  ])('cannot %s where it may reach Prod, but not %s', async (_, right, lie, told) => {
    await setRightsOnBoth('{ publishUpTo: Prod }');
    dev.tell(lie());
    for (const server of [berlin, munich])
      await waitFor(`the missing right ${right} on ${server.name}`, async () =>
        (await refusals(server)).some((summary) => told.test(summary)),
      );
    await everythingIsHandled();
    await serveChrome();
  });
});

it('the administrators see it as a problem until somebody looks at that server', async () => {
  const Problems = z.object({
    problems: z.array(
      z.object({
        kind: z.string(),
        what: z.string(),
        since: z.string(),
        latest: z.string().nullable(),
        advice: z.string(),
        count: z.number(),
        examples: z.array(z.string()),
      }),
    ),
  });
  for (const server of [berlin, munich]) {
    const query = '{ problems { kind what since latest advice count examples } }';
    const { problems } = await (await server.client()).ask(query, Problems);
    const refused = problems.filter(({ what }) => what.includes('mallory told') && what.includes('(NOT_ALLOWED)'));
    expect(refused).toHaveLength(1);
    expect(refused[0]?.kind).toBe('FACTS_REFUSED');
    expect(refused[0]?.count).toBeGreaterThanOrEqual(LIES.length);
    expect(Date.parse(refused[0]?.latest ?? '')).toBeGreaterThan(Date.parse(refused[0]?.since ?? ''));
    expect(refused[0]?.advice).toContain('setPeerRights');
    expect(refused[0]?.examples.some((example) => example.startsWith('Chrome.pkg (removal): '))).toBe(true);
  }
});

it('an honest server that gives it all rights cannot do so for it either, and passes on what it told', async () => {
  // Berlin now accepts what the development server told before.
  await setRights(berlin, ALL);
  dev.tell(LIES[2][1]());
  await waitFor('the refusal of what berlin passes on', async () =>
    (await refusals(munich)).some((summary) =>
      summary.startsWith('Refused what berlin told: the removal of Chrome.pkg'),
    ),
  );
  expect(await munich.servedDigest('Chrome.pkg')).toBe(sha256(chrome));
  await setRights(berlin, LIMITED);
  expect((await berlin.put('Chrome.pkg', chrome)).status).toBe(201);
  await serveChrome();
});

const Peers = z.object({
  peers: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      inSync: z.boolean().nullable(),
      refusedFromPeer: z.number(),
      refusedByPeer: z.number(),
    }),
  ),
});
async function peerOf(server: ServerUnderTest, name: string) {
  const { peers } = await (
    await server.client()
  ).ask('{ peers { id name inSync refusedFromPeer refusedByPeer } }', Peers);
  return peers.find((peer) => peer.name === name);
}

it(
  'what an honest server may not publish is no difference, also after a restart, and comes when it may',
  { timeout: 600_000 },
  async () => {
    const berlinAtMunich = (await peerOf(munich, 'berlin'))?.id;
    const setBerlin = async (rights: string): Promise<void> => {
      const mutation = `mutation { setPeerRights(id: "${berlinAtMunich}", rights: ${rights}) { id } }`;
      await (await munich.client()).ask(mutation, Peer);
    };
    const bothSayThatItIsRefused = async (): Promise<void> => {
      const munichSays = async () => {
        const found = await peerOf(munich, 'berlin');
        return found?.refusedFromPeer === 1 && found.inSync === true;
      };
      await waitFor('munich to count it as refused', munichSays, 120_000);
      const berlinSays = async () => {
        const found = await peerOf(berlin, 'munich');
        return found?.refusedByPeer === 1 && found.inSync === true;
      };
      await waitFor('berlin to know that it is refused', berlinSays, 120_000);
    };
    await setBerlin('{ filenames: ["allowed-*"] }');
    const content = randomBytes(2_500);
    expect((await berlin.put('other.pkg', content)).status).toBe(201);
    expect((await berlin.put('allowed-1.pkg', content)).status).toBe(201);
    await waitFor('what is allowed', async () => (await munich.servedDigest('allowed-1.pkg')) === sha256(content));
    await bothSayThatItIsRefused();
    await munich.kill();
    await munich.start();
    await bothSayThatItIsRefused();
    expect(await munich.servedDigest('other.pkg')).toBeNull();
    await setBerlin('{ filenames: [] }');
    await waitFor(
      'what was refused',
      async () => (await munich.servedDigest('other.pkg')) === sha256(content),
      120_000,
    );
    await waitFor('nothing to be refused', async () => (await peerOf(berlin, 'munich'))?.refusedByPeer === 0, 120_000);
  },
);

it('after all of it both servers serve, and take and exchange uploads', async () => {
  for (const [from, to] of [
    [berlin, munich],
    [munich, berlin],
  ] as const) {
    const content = randomBytes(2_000);
    const filename = `from-${from.name}.pkg`;
    expect((await from.put(filename, content)).status).toBe(201);
    await waitFor(`${filename} on ${to.name}`, async () => (await to.servedDigest(filename)) === sha256(content));
    expect((await fetch(`${from.url}/health/ready`)).status).toBe(200);
  }
  await serveChrome();
});
