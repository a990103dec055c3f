import { createClient, type Client } from 'graphql-ws';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { AdminClient } from '../../src/cli/demo/admin-client.js';
import { registerPeers } from '../../src/cli/demo/demo-steps.js';
import { findFreePort } from '../../src/cli/demo/server-process.js';
import { Nginx } from '../support/nginx/nginx.js';
import { describeWithNginx } from '../support/nginx/with-nginx.js';
import { PASSWORD, ServerUnderTest, sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const Audit = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ address: z.string().nullable() }) })) }),
});

describeWithNginx('a server behind nginx', () => {
  let nginx: Nginx;
  let a: ServerUnderTest;
  let b: ServerUnderTest;
  let sockets: Client;

  beforeAll(async () => {
    const port = await findFreePort(0);
    const folder = new ServerUnderTest('folder').dataDir;
    nginx = await Nginx.start({ ports: [port], dataDir: folder });
    const env = { ODST_URL: nginx.url, ODST_ACCEL_REDIRECT: '/_odst/packages/', ODST_TRUSTED_PROXIES: 'loopback' };
    a = new ServerUnderTest('a', env, folder);
    a.port = port;
    b = new ServerUnderTest('b');
    await Promise.all([a.start(), b.start()]);
    await registerPeers(await b.client(), await AdminClient.signIn(nginx.url, 'admin', PASSWORD));
  });
  afterAll(async () => {
    await sockets.dispose();
    await Promise.all([a.dispose(), b.dispose()]);
    await nginx.stop();
  });

  it('tells subscribers over a WebSocket, and peers over the feed, who then fetch', async () => {
    const { token } = await a.client();
    sockets = createClient({
      url: `${nginx.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${token}` },
    });
    const heard: unknown[] = [];
    const sink = {
      next: ({ data }: { data?: unknown }) => heard.push(data),
      error: () => undefined,
      complete: () => undefined,
    };
    sockets.subscribe({ query: 'subscription { packageChanged { filename } }' }, sink);
    const upload = async (filename: string, body: Buffer): Promise<void> => {
      const headers = { authorization: `Bearer ${token}` };
      const reply = await fetch(`${nginx.url}/api/packages/${filename}`, {
        method: 'PUT',
        headers,
        body: new Uint8Array(body),
      });
      expect(reply.status).toBe(201);
    };
    let count = 0;
    await waitFor('the subscription', async () => {
      await upload(`probe-${count++}.pkg`, randomBytes(10));
      return heard.length > 0;
    });
    const bytes = randomBytes(3_000_000);
    await upload('big.pkg', bytes);
    await waitFor('the copy', async () => (await b.servedDigest('big.pkg')) === sha256(bytes));
    await waitFor('the news', () => JSON.stringify(heard).includes('big.pkg'));
  });

  it('records the address of the caller, and nothing that he claims', async () => {
    const signIn = (url: string, forwardedFor: string): Promise<Response> =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': forwardedFor },
        body: JSON.stringify({ query: `mutation { signIn(username: "admin", password: "${PASSWORD}") { token } }` }),
      });
    // Once as nginx's caller, once as a trusted proxy on this machine.
    await signIn(nginx.url, '203.0.113.1');
    await signIn(a.url, '203.0.113.2');
    const client = await a.client();
    const addresses = await waitFor('both sign-ins', async () => {
      const { auditTrail } = await client.ask(
        '{ auditTrail(filter: {kinds: ["SignedIn"]}, first: 20) { edges { node { address } } } }',
        Audit,
      );
      const all = auditTrail.edges.map(({ node }) => node.address);
      return all.includes('203.0.113.2') && all;
    });
    expect(new Set(addresses)).toEqual(new Set(['127.0.0.1', '203.0.113.2']));
  });
});
