import type { NestExpressApplication } from '@nestjs/platform-express';
import { CommandBus } from '@nestjs/cqrs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AcceptInvitation } from '../../../src/modules/peers/registration/accept-invitation.command.js';
import { encodeToken } from '../../../src/modules/peers/registration/invitation-token.js';
import { BAD_TEXTS } from '../../support/bad-input.js';
import { startPeerApp } from '../../support/peer-app.js';
import { closeAll, serve } from '../../support/scripted-peer.js';
import { ServerHome } from '../../support/trusted-server.js';
import { MAX_SMALL_ANSWER_BYTES } from '../../../src/ports/peer-transport.port.js';

const SERVER_ID = '5b1f6f0a-3c53-5d0e-9a53-0d3f4f5b7a11';
const PUBLIC_KEY = 'A'.repeat(43);

let home: ServerHome;
let app: NestExpressApplication;
/** What the server says whose invitation is accepted. */
let answer: object = {};
let url = '';

beforeAll(async () => {
  home = await ServerHome.create();
  app = await startPeerApp(home, { name: 'A', url: 'http://a', stage: 'Prod' });
  url = await serve((socket) => {
    const body = JSON.stringify(answer);
    socket.end(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
});
afterAll(async () => {
  await app.close();
  await closeAll();
  await home.remove();
});

const accept = (at = url): Promise<unknown> =>
  app.get(CommandBus).execute(
    new AcceptInvitation(
      encodeToken({
        v: 1,
        invitationId: SERVER_ID,
        url: at,
        serverId: SERVER_ID,
        publicKey: PUBLIC_KEY,
        secret: PUBLIC_KEY,
        expiresAt: new Date(Date.now() + 60_000).toISOString(),
        successions: [],
      }),
    ),
  );

it.each([...Object.entries(BAD_TEXTS), ['more letters than a name has', 'a'.repeat(500)] as const])(
  'a name with %s in the answer to an invitation is refused, and nothing is recorded',
  async (_, name) => {
    // An answer that is longer than any right one is not even read.
    const why = name.length > MAX_SMALL_ANSWER_BYTES ? 'more than was expected' : 'cannot be accepted: `name` must';
    answer = { serverId: SERVER_ID, publicKey: PUBLIC_KEY, name };
    const before = await home.store.head();
    await expect(accept()).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
      message: expect.stringContaining(why) as string,
    });
    expect(await home.store.head()).toEqual(before);
  },
);

it('a good answer is recorded', async () => {
  answer = { serverId: SERVER_ID, publicKey: PUBLIC_KEY, name: 'B' };
  const before = await home.store.head();
  await accept();
  expect(await home.store.head()).not.toEqual(before);
});

it.each([
  'http://169.254.169.254',
  'http://169.254.1.1/ods',
  'http://[fe80::1]',
  'http://[fd00:ec2::254]',
  'http://[::ffff:169.254.169.254]',
  'http://0xa9fea9fe',
  'http://0.0.0.0:8080',
  'http://[::]',
  'http://224.0.0.1',
  'http://255.255.255.255',
])('an invitation that leads to %s is refused without a call, and nothing is recorded', async (at) => {
  const before = await home.store.head();
  await expect(accept(at)).rejects.toMatchObject({ code: 'PEER_ADDRESS_REFUSED' });
  expect(await home.store.head()).toEqual(before);
});

it.each([
  'http://127.0.0.1:99999',
  'http://[',
  'http://%zz',
  'http://',
  'ftp://a',
  'http://a@169.254.169.254',
  'http://a b',
  'http://[fe80::1%25eth0]',
  'file:///etc/passwd',
])('an invitation with the address %s is none', async (at) => {
  await expect(accept(at)).rejects.toMatchObject({ code: 'INVALID_INVITATION' });
});
