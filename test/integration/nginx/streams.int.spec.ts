import { once } from 'node:events';
import {
  createServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Nginx } from '../../support/nginx/nginx.js';
import { describeWithNginx } from '../../support/nginx/with-nginx.js';
import { startPackageApp, type PackageApp } from '../../support/package-app.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const BLOCK = randomBytes(4 * MIB);

/** Sends so many bytes; after the first 64 MiB waits until some of them have arrived, and looks at nginx's disk on the way. */
async function send(nginx: Nginx, size: number, arrived: () => Promise<boolean> | boolean): Promise<IncomingMessage> {
  const options = { method: 'PUT', headers: { 'Content-Length': size } };
  const sending = request(`${nginx.url}/api/packages/huge.pkg`, options);
  const onDisk = new Set<string>();
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    sending.once('response', resolve).once('error', reject),
  );
  for (let sent = 0; sent < size; sent += BLOCK.length) {
    if (!sending.write(BLOCK)) await once(sending, 'drain');
    if (sent === 64 * MIB) await waitFor('the first bytes to arrive', arrived);
    if (sent % (64 * MIB) === 0) for (const file of nginx.buffered) onDisk.add(file);
  }
  sending.end();
  const answer = await answered;
  expect([...onDisk, ...nginx.buffered]).toEqual([]);
  return answer;
}

/** A listener in place of the app. */
async function listening(handle: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: z.object({ port: z.number() }).parse(server.address()).port };
}

describeWithNginx('an upload through nginx', () => {
  it('arrives as it is sent and never touches nginx’s disk: 4 GiB, to somebody who only counts', async () => {
    let received = 0;
    const { server, port } = await listening((asked, response) => {
      asked.on('data', (data: Buffer) => (received += data.length)).on('end', () => response.end());
    });
    const nginx = await Nginx.start({ ports: [port], dataDir: '/nonexistent' });
    const answer = await send(nginx, 4096 * MIB, () => received > 0);
    answer.resume();
    expect(received).toBe(4096 * MIB);
    await nginx.stop();
    server.close();
  });

  it('is written by the app while it is being sent', async () => {
    const app = await startPackageApp();
    const nginx = await Nginx.start({ ports: [app.port], dataDir: app.dataDir });
    const answer = await send(nginx, 128 * MIB, async () => (await staged(app)) > 0);
    expect(z.object({ size: z.number() }).parse(JSON.parse(await text(answer))).size).toBe(128 * MIB);
    await nginx.stop();
    await app.stop();
  });
});

/** Bytes of uploads that the app has written so far. */
async function staged({ dataDir, staging }: PackageApp): Promise<number> {
  const sizes = (await staging()).map(async (name) => (await stat(join(dataDir, 'staging', name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describeWithNginx('server-sent events through nginx', () => {
  it('arrive one by one while the connection stays open', async () => {
    const feeds: ServerResponse[] = [];
    // As the feed answers, without the header that tells nginx not to buffer.
    const { server, port } = await listening((_, response) => {
      feeds.push(response.writeHead(200, { 'Content-Type': 'text/event-stream' }));
    });
    const nginx = await Nginx.start({ ports: [port], dataDir: '/nonexistent' });
    const reading = fetch(`${nginx.url}/peer/v1/feed`);
    const feed = await waitFor('the request', () => feeds[0]);
    feed.write(':\n\n');
    const reader = (await reading).body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe(':\n\n');
    for (const item of ['one', 'two']) {
      feed.write(`data: ${item}\n\n`);
      expect((await reader?.read())?.value).toBe(`data: ${item}\n\n`);
    }
    feed.end();
    expect((await reader?.read())?.done).toBe(true);
    await nginx.stop();
    server.close();
  });
});
