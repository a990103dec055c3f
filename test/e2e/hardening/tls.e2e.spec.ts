import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { authority, HTTPS, tlsFile, trustAuthority } from '../../support/tls/certificates.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const certs = mkdtempSync(join(tmpdir(), 'odst-certs-'));
const mine = { ODST_TLS_CERT_FILE: join(certs, 'tls.crt'), ODST_TLS_KEY_FILE: join(certs, 'tls.key') };

const place = (name: string): void => {
  copyFileSync(tlsFile(`${name}.crt`), mine.ODST_TLS_CERT_FILE);
  copyFileSync(tlsFile(`${name}.key`), mine.ODST_TLS_KEY_FILE);
};

let a: ServerUnderTest;
let b: ServerUnderTest;
let distrust: () => void;

beforeAll(async () => {
  distrust = trustAuthority();
  place('first');
  a = new ServerUnderTest('a', { ...HTTPS, ...mine });
  b = new ServerUnderTest('b', { ...HTTPS, ODST_REACHABLE: 'false' });
  await Promise.all([a.start(), b.start()]);
  // Nobody can call B, so A makes the invitation.
  await registerPeers(await a.client(), await b.client());
});
afterAll(async () => {
  await Promise.all([a.dispose(), b.dispose()]);
  distrust();
});

/** A bare connection; resolves when the handshake is done. */
const dial = (options: object = {}): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port: a.port, host: '127.0.0.1', ca: authority, ...options }, () => resolve(socket));
    socket.on('error', reject);
  });

const servedName = async (): Promise<string> => {
  const socket = await dial();
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
};

describe('two servers over HTTPS', () => {
  it('replicate in both directions, one of them through a tunnel', async () => {
    const [fromA, fromB] = [randomBytes(9 * MIB + 1), randomBytes(5 * MIB + 1)];
    expect((await a.put('from-a.pkg', fromA)).status).toBe(201);
    expect((await b.put('from-b.pkg', fromB)).status).toBe(201);
    await waitFor('the copy on B', async () => (await b.servedDigest('from-a.pkg')) === sha256(fromA));
    await waitFor('the copy on A', async () => (await a.servedDigest('from-b.pkg')) === sha256(fromB));
    const part = await a.download('from-b.pkg', { range: 'bytes=5-9' });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, fromB.subarray(5, 10)]);
  });

  it('tell browsers to stay with HTTPS', async () => {
    for (const path of ['/health/live', '/Packages/none', '/Packages/from-a.pkg', '/nothing']) {
      const reply = await fetch(`${a.url}${path}`, { method: 'HEAD' });
      expect(reply.headers.get('strict-transport-security')).toBe('max-age=15552000');
    }
  });

  it('serve subscriptions', async () => {
    class Trusting extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols, { ca: authority });
      }
    }
    const { token } = await a.client();
    let connected = false;
    const client = createClient({
      url: `${a.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: Trusting,
      lazy: false,
      retryAttempts: 0,
      connectionParams: { Authorization: `Bearer ${token}` },
      on: { connected: () => (connected = true) },
    });
    await waitFor('the connection', () => connected);
    await client.dispose();
  });

  it('answer who has closed the own side', async () => {
    const socket = await dial({ allowHalfOpen: true });
    let answer = '';
    socket.on('data', (bytes) => (answer += String(bytes)));
    socket.end('GET /Packages/from-a.pkg HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\n\r\n');
    await waitFor('the answer', () => answer.includes('206 Partial Content'));
    socket.destroy();
  });

  it('take nothing below TLS 1.2', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(dial(old)).rejects.toThrow(/alert|protocol|version/i);
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const socket = await dial({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
  });

  it.each(['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA'])('do not take %s, which is CBC with SHA-1', refuses);

  it('outlive what is no TLS at their port', async () => {
    await expect(fetch(`http://127.0.0.1:${a.port}/health/live`)).rejects.toThrow('fetch failed');
    expect((await fetch(`${a.url}/health/ready`)).status).toBe(200);
  });
});

async function refuses(ciphers: string): Promise<void> {
  await expect(dial({ maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow(/handshake failure/i);
}

it('a new certificate is served without a restart, a bad one is not', async () => {
  expect(await servedName()).toBe('test only first');
  place('second');
  await waitFor('the second certificate', async () => (await servedName()) === 'test only second');
  await refuses('ECDHE-ECDSA-AES128-SHA');
  copyFileSync(tlsFile('first.crt'), mine.ODST_TLS_CERT_FILE);
  process.kill(a.pid, 'SIGHUP');
  await waitFor('the complaint', () => a.output.includes('The new TLS certificate cannot be used'));
  expect(await servedName()).toBe('test only second');
  place('first');
  process.kill(a.pid, 'SIGHUP');
  await waitFor('the first certificate', async () => (await servedName()) === 'test only first');
});
