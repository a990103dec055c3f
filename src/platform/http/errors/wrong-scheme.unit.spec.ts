import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { logWrongSchemes } from './wrong-scheme.js';

const pem = (name: string) => readFileSync(new URL(`../../../../test/support/tls/${name}`, import.meta.url), 'utf8');
const open: Server[] = [];

async function start(server: Server, isTls: boolean): Promise<{ port: number; warnings: string[] }> {
  const warnings: string[] = [];
  const logger = new Logger('Http');
  vi.spyOn(logger, 'warn').mockImplementation((message: unknown) => void warnings.push(String(message)));
  logWrongSchemes(server, isTls, logger);
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return { port: (server.address() as AddressInfo).port, warnings };
}

afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** Also after an error, which a connection that is refused may end with. */
const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

const sayHttp = async (port: number): Promise<void> => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).write('GET /peer/v1/feed HTTP/1.1\r\nhost: a\r\n\r\n');
  await closed(socket);
};

const sayTls = async (port: number): Promise<void> => {
  const socket = connectTls({ port, host: '127.0.0.1', ca: pem('localhost.crt') });
  socket.on('error', () => undefined);
  await closed(socket);
};

describe('a call by the wrong scheme', () => {
  it('by http:// where HTTPS is answered is named once', async () => {
    const server = createTlsServer({ cert: pem('localhost.crt'), key: pem('localhost.key') });
    const { port, warnings } = await start(server, true);
    await sayHttp(port);
    await sayHttp(port);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Somebody at 127\.0\.0\.1 calls this server by http:\/\/, but it answers by https:\/\/ only/,
      ),
    ]);
  });

  it('by https:// where HTTP is answered is named once', async () => {
    const { port, warnings } = await start(createServer(), false);
    await sayTls(port);
    await sayTls(port);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Somebody at 127\.0\.0\.1 calls this server by https:\/\/, but it answers by http:\/\/ only/,
      ),
    ]);
  });

  it('is not suspected in other garbage', async () => {
    const { port, warnings } = await start(createServer(), false);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).write('\0\0nothing\r\n\r\n');
    await closed(socket);
    expect(warnings).toEqual([]);
  });
});
