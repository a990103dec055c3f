import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { chainOf, RealMesh } from '../../support/real-mesh.js';
import { type ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
/** 400 MB, as it stands in the figures. */
const MOST_RSS_KIB = 400_000_000 / 1024;
/** What 4 GiB may add to the largest resident set so far: buffers, and nothing that grows with the file. */
const MOST_GROWTH_KIB = 256 * 1024;
const Count = z.object({ packages: z.object({ totalCount: z.number() }) });

let mesh: RealMesh;
beforeAll(async () => {
  mesh = await RealMesh.start(3, chainOf(3));
});
afterAll(() => mesh.dispose());

/** The largest resident set of a server's process so far, in KiB. */
const peakOf = ({ pid }: ServerUnderTest): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

it('1,000 small packages at once reach every server', { timeout: 1_800_000 }, async () => {
  const files = Array.from({ length: 1_000 }, (_, i) => ({ name: `small-${i}.pkg`, bytes: randomBytes(1_000 + i) }));
  const rest = [...files];
  const send = async (): Promise<void> => {
    for (let file = rest.pop(); file; file = rest.pop()) {
      expect((await mesh.at(0).put(file.name, file.bytes)).status).toBe(201);
    }
  };
  await Promise.all(Array.from({ length: 32 }, send));
  await waitFor(
    'the last server to know them all',
    async () => {
      const { packages } = await (
        await mesh.at(2).client()
      ).ask('{ packages(filter: { state: [AVAILABLE] }) { totalCount } }', Count);
      return packages.totalCount >= 1_000;
    },
    800_000,
  );
  await mesh.converges(new Map(files.map(({ name, bytes }) => [name, sha256(bytes)])), 400_000);
});

it('a package of 4 GiB passes through every server in little memory', { timeout: 1_800_000 }, async () => {
  const before = new Map(mesh.servers.map((server) => [server, peakOf(server)]));
  const block = randomBytes(16 * MIB);
  const hash = createHash('sha256');
  const size = 256 * block.length;
  async function* blocks() {
    for (let i = 0; i < 256; i++) {
      block.writeUInt32LE(i);
      const copy = Buffer.from(block);
      hash.update(copy);
      yield copy;
    }
  }
  const { token } = await mesh.at(0).client();
  const response = await fetch(`${mesh.at(0).url}/api/packages/huge.pkg`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-length': String(size) },
    body: Readable.toWeb(Readable.from(blocks())) as ReadableStream,
    duplex: 'half',
  } as RequestInit);
  expect(response.status).toBe(201);
  const digest = hash.digest('hex');
  for (const server of mesh.servers) {
    await waitFor(
      `huge.pkg on ${server.name}`,
      async () => {
        const { headers, ok } = await fetch(`${server.url}/Packages/huge.pkg`, { method: 'HEAD' });
        return ok && headers.get('etag') === `"${digest}"`;
      },
      800_000,
    );
    expect(peakOf(server)).toBeLessThan(MOST_RSS_KIB);
    expect(peakOf(server) - (before.get(server) ?? 0)).toBeLessThan(MOST_GROWTH_KIB);
  }
});
