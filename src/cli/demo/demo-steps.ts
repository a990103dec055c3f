import { createCipheriv, createHash, type Hash, randomBytes } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { ProgressBar } from '../terminal.js';
import type { AdminClient } from './admin-client.js';
import type { DemoArguments } from './arguments.js';

interface PackageSource {
  readonly size: number;
  readonly stream: Readable;
  /** SHA-256 of what went through the stream; complete when it has ended. */
  readonly hash: Hash;
  /** Called with the bytes so far. A `data` listener would make the stream flow before its reader is there. */
  onProgress: (bytes: number) => void;
}

const BLOCK = Buffer.alloc(1024 * 1024);

/** The package to upload: a file, or random bytes that cannot be compressed and differ with every run. */
export function openPackageSource({ file, size }: DemoArguments): PackageSource {
  const hash = createHash('sha256');
  let bytesSoFar = 0;
  const bytes = file ? createReadStream(file, { highWaterMark: BLOCK.length }) : Readable.from(generateBytes(size));
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      source.onProgress((bytesSoFar += chunk.length));
      done(null, chunk);
    },
  });
  const source: PackageSource = {
    size: file ? statSync(file).size : size,
    stream: bytes.pipe(tap),
    hash,
    onProgress: () => undefined,
  };
  return source;
}

function* generateBytes(size: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  for (let left = size; left > 0; left -= BLOCK.length)
    yield cipher.update(BLOCK.subarray(0, Math.min(left, BLOCK.length)));
}

const Uploaded = z.object({
  id: z.string(),
  filename: z.string(),
  size: z.number(),
  sha1: z.string(),
  sha256: z.string(),
  stage: z.string(),
});
type Uploaded = z.output<typeof Uploaded>;

const Peers = z.object({
  server: z.object({ id: z.string(), url: z.string() }),
  peers: z.array(z.object({ id: z.string(), url: z.string() })),
});

/** Registers two servers with each other by invitation, or corrects the addresses when they are registered already. */
export async function registerPeers(inviting: AdminClient, accepting: AdminClient): Promise<void> {
  const query = '{ server { id url } peers { id url } }';
  const [a, b] = await Promise.all([accepting.ask(query, Peers), inviting.ask(query, Peers)]);
  if (!a.peers.some((peer) => peer.id === b.server.id) || !b.peers.some((peer) => peer.id === a.server.id)) {
    const invited = await inviting.ask(
      'mutation { createPeerInvitation { token } }',
      z.object({ createPeerInvitation: z.object({ token: z.string() }) }),
    );
    await accepting.ask('mutation ($token: String!) { acceptPeerInvitation(token: $token) { id } }', z.unknown(), {
      token: invited.createPeerInvitation.token,
    });
  }
  await Promise.all([correctUrl(accepting, b.server), correctUrl(inviting, a.server)]);
}

async function correctUrl(client: AdminClient, server: { id: string; url: string }): Promise<void> {
  const { peers } = await client.ask('{ server { id url } peers { id url } }', Peers);
  if (peers.some((peer) => peer.id === server.id && peer.url === server.url)) return;
  await client.ask('mutation ($id: ID!, $url: String!) { updatePeer(id: $id, url: $url) { id } }', z.unknown(), server);
}

/** Removes the packages of earlier runs of the demo, so that repeated runs do not fill the disk. */
export async function removeEarlierDemos(client: AdminClient): Promise<void> {
  const list = await client.ask(
    '{ packages(first: 100) { edges { node { id filename } } } }',
    z.object({
      packages: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string(), filename: z.string() }) })) }),
    }),
  );
  const earlier = list.packages.edges.filter(({ node }) => /^demo-.*\.pkg$/.test(node.filename));
  for (const { node } of earlier) {
    await client.ask('mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), { id: node.id });
  }
}

export async function uploadPackage(client: AdminClient, filename: string, source: PackageSource): Promise<Uploaded> {
  const bar = new ProgressBar('Upload     ');
  source.onProgress = (bytes) => bar.show(Math.min(0.999, bytes / (source.size || 1)));
  const response = await fetch(`${client.url}/api/packages/${encodeURIComponent(filename)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${client.token}`, 'content-length': String(source.size) },
    body: source.stream,
    duplex: 'half',
  });
  const reply: unknown = await response.json();
  if (response.status !== 201) throw new Error(`The upload was refused: ${JSON.stringify(reply)}`);
  bar.show(1);
  return Uploaded.parse(reply);
}

const Replicas = z.object({
  package: z
    .object({
      replicas: z.array(
        z.object({
          local: z.boolean(),
          state: z.string(),
          progress: z.number(),
          failure: z.object({ reason: z.string() }).nullable(),
        }),
      ),
    })
    .nullable(),
});

/** Shows the progress of a replication until the package is published on the fetching server. */
export async function watchReplication(client: AdminClient, id: string): Promise<void> {
  const bar = new ProgressBar('Replication');
  const query = 'query ($id: ID!) { package(id: $id) { replicas { local state progress failure { reason } } } }';
  for (;;) {
    const answer = await client.ask(query, Replicas, { id });
    const replica = answer.package?.replicas.find(({ local }) => local);
    if (replica?.failure) throw new Error(`The replication failed: ${replica.failure.reason}`);
    const published = replica?.state === 'PUBLISHED';
    bar.show(published ? 1 : Math.min(0.999, replica?.progress ?? 0));
    if (published) return;
    await delay(50);
  }
}

/** SHA-256 of the file that an endpoint downloads. */
export async function downloadDigest(url: string, filename: string): Promise<string> {
  const response = await fetch(`${url}/Packages/${encodeURIComponent(filename)}`);
  if (!response.ok || !response.body) throw new Error(`The download was answered with ${response.status}`);
  const hash = createHash('sha256');
  for await (const chunk of response.body) hash.update(chunk);
  return hash.digest('hex');
}
