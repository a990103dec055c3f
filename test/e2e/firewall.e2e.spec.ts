import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AdminClient } from '../../src/cli/demo/admin-client.js';
import { registerPeers } from '../../src/cli/demo/demo-steps.js';
import { findFreePort } from '../../src/cli/demo/server-process.js';
import { Nginx } from '../support/nginx/nginx.js';
import { describeWithNginx } from '../support/nginx/with-nginx.js';
import { PASSWORD, ServerUnderTest, sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const MIB = 1024 * 1024;
const Ways = z.object({ peers: z.array(z.object({ name: z.string(), connectedThrough: z.string() })) });

/** How a server calls another. */
async function routeTo(server: ServerUnderTest, name: string): Promise<string | undefined> {
  const { peers } = await (await server.client()).ask('{ peers { name connectedThrough } }', Ways);
  return peers.find((peer) => peer.name === name)?.connectedThrough;
}

const arrives = (at: ServerUnderTest, filename: string, bytes: Uint8Array): Promise<unknown> =>
  waitFor(`${filename} at ${at.name}`, async () => (await at.servedDigest(filename)) === sha256(bytes), 120_000);

/** Most memory that a process has had, in bytes (Linux). */
const peakMemory = ({ pid }: ServerUnderTest): number =>
  1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** Nobody listens where the others would call it: that is all they see of a firewall. */
async function behindFirewall(name: string): Promise<ServerUnderTest> {
  const closed = `http://127.0.0.1:${await findFreePort(0)}`;
  return new ServerUnderTest(name, { ODST_REACHABLE: 'false', ODST_URL: closed });
}

describe('a server that nobody can call', () => {
  let hidden: ServerUnderTest;
  let hub: ServerUnderTest;
  let third: ServerUnderTest;

  beforeAll(async () => {
    hidden = await behindFirewall('hidden');
    hub = new ServerUnderTest('hub');
    third = new ServerUnderTest('third');
    await Promise.all([hidden.start(), hub.start(), third.start()]);
    await registerPeers(await hub.client(), await hidden.client());
    await registerPeers(await hub.client(), await third.client());
  });
  afterAll(() => Promise.all([hidden, hub, third].map((server) => server.dispose())));

  it('gives its packages to its peer, who passes them on, and gets those of all others', async () => {
    const [up, down] = [randomBytes(5 * MIB + 17), randomBytes(3 * MIB)];
    await hidden.put('up.pkg', up);
    await third.put('down.pkg', down);
    await Promise.all([arrives(hub, 'up.pkg', up), arrives(third, 'up.pkg', up), arrives(hidden, 'down.pkg', down)]);
    expect(await routeTo(hub, 'hidden')).toBe('TUNNEL');
    expect(await routeTo(hidden, 'hub')).toBe('DIRECT');
    expect(await routeTo(hub, 'third')).toBe('DIRECT');
  });

  it('makes no invitations, since nobody could accept them', async () => {
    const inviting = (await hidden.client()).ask('mutation { createPeerInvitation { token } }', z.unknown());
    await expect(inviting).rejects.toThrow(/Create the invitation on the other server/);
  });

  it('is found again after its peer was killed in the middle of a package', async () => {
    const bytes = randomBytes(64 * MIB);
    await hidden.put('killed-hub.pkg', bytes);
    await hub.kill();
    await hub.start();
    await arrives(hub, 'killed-hub.pkg', bytes);
  });

  it('goes on after it was killed itself, and its peer waits for it without a flood of errors', async () => {
    const bytes = randomBytes(64 * MIB);
    await hidden.put('killed-hidden.pkg', bytes);
    await hidden.kill();
    await waitFor('the hub to notice', async () => (await routeTo(hub, 'hidden')) === 'NONE');
    const before = hub.output.length;
    const complaints = () =>
      hub.output
        .slice(before)
        .split('\n')
        .filter((line) => /"level":(40|50).*"(Subscriber|Tunnels)"/.test(line));
    await hidden.start();
    await arrives(hub, 'killed-hidden.pkg', bytes);
    expect(complaints().length).toBeLessThan(4);
  });
});

describeWithNginx('a server that nobody can call, whose peer is behind nginx', () => {
  let nginx: Nginx;
  let hidden: ServerUnderTest;
  let hub: ServerUnderTest;

  beforeAll(async () => {
    const port = await findFreePort(0);
    const folder = new ServerUnderTest('folder').dataDir;
    nginx = await Nginx.start({ ports: [port], dataDir: folder });
    hub = new ServerUnderTest('hub', { ODST_URL: nginx.url, ODST_TRUSTED_PROXIES: 'loopback' }, folder);
    hub.port = port;
    hidden = await behindFirewall('hidden');
    await Promise.all([hidden.start(), hub.start()]);
    await registerPeers(await AdminClient.signIn(nginx.url, 'admin', PASSWORD), await hidden.client());
  });
  afterAll(async () => {
    await Promise.all([hidden.dispose(), hub.dispose()]);
    await nginx.stop();
  });

  it('gives 256 MiB through it, the same bytes, and nobody holds them in memory or on the way', async () => {
    const bytes = randomBytes(256 * MIB);
    await hidden.put('big.pkg', bytes);
    await arrives(hub, 'big.pkg', bytes);
    expect(await routeTo(hub, 'hidden')).toBe('TUNNEL');
    expect(nginx.buffered).toEqual([]);
    for (const server of [hidden, hub]) expect(peakMemory(server)).toBeLessThan(400 * MIB);
  });
});
