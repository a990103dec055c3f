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

const accept = (): Promise<unknown> =>
  app.get(CommandBus).execute(
    new AcceptInvitation(
      encodeToken({
        v: 1,
        invitationId: SERVER_ID,
        url,
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
