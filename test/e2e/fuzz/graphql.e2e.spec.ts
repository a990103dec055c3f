import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { buildSchema } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { ActingPeer } from '../../support/fuzz/acting-peer.js';
import { codesOf } from '../../support/fuzz/answers.js';
import { fuzz } from '../../support/fuzz/runs.js';
import { FuzzScene } from '../../support/fuzz/scene.js';
import { operations, rootFields, type Known } from '../../support/fuzz/schema-walk.js';
import { nastyJson, nastyText } from '../../support/fuzz/values.js';

const roots = rootFields(buildSchema(readFileSync('schema.graphql', 'utf8')));
/** What ends the session of the test, which then signs in anew. */
const ENDING = new Set(['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'PASSWORD_CHANGE_REQUIRED']);

const Created = z.object({ data: z.object({ createAccount: z.object({ account: z.object({ id: z.string() }) }) }) });

let scene: FuzzScene;
const known: string[] = ['known.pkg', 'somebody'];
beforeAll(async () => {
  scene = await FuzzScene.start('fuzz-graphql', { ODST_NAME: '', ODST_URL: '' });
  // Not the account of the test: another one may be disabled, or lose its roles.
  const { body } = await scene.graphql({
    query: 'mutation { createAccount(username: "somebody", roles: [viewer]) { account { id } } }',
  });
  known.push(scene.packageId, Created.parse(JSON.parse(body.toString())).data.createAccount.account.id);
  known.push((await ActingPeer.register(scene)).identity.serverId);
});
afterAll(() => scene.dispose());
afterEach(() => scene.expectHealthy());

async function send(body: unknown): Promise<void> {
  const codes = codesOf(await scene.graphql(body));
  if (codes.some((code) => ENDING.has(code))) await scene.signIn();
}

const answered = roots.filter(({ kind }) => kind !== 'subscription');

it.each(answered.map((root) => [`${root.kind} ${root.field.name}`, root] as const))('%s', async (_, root) => {
  await fuzz(
    fc.constant(null).chain(() => operations(root, known as Known)),
    send,
    { share: 0.5 },
  );
});

describe('a request', () => {
  it('of whatever JSON', async () => {
    const bodies = fc.record(
      { query: nastyJson, variables: nastyJson, operationName: nastyJson, extensions: nastyJson },
      { requiredKeys: [] },
    );
    await fuzz(fc.oneof(bodies, nastyJson, fc.array(bodies, { maxLength: 3 })), send);
  });

  it('of whatever text, signed in or not', async () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      ':',
      '!',
      '$a',
      '...',
      '@include',
      '@skip(if: true)',
      'query',
      'mutation',
      'subscription',
      'fragment F on',
      'peers',
      'packages',
      'signIn',
      '"',
      '"""',
      '#',
      '\\u0000',
      '1e999',
      'first: 1',
      'id',
      '__schema',
      '__type(name: "Peer")',
      'null',
      'Query',
      '...F',
      '\uFEFF',
      'on',
    );
    const texts = fc.oneof(
      fc.array(fc.oneof(pieces, nastyText), { maxLength: 30 }).map((all) => all.join(' ')),
      nastyText,
    );
    await fuzz(fc.tuple(texts, fc.boolean()), async ([query, signedIn]) => {
      await scene.graphql({ query }, signedIn ? scene.bearer : {});
    });
  });

  it('of whatever type, method and bytes', async () => {
    const types = fc.constantFrom(
      'application/json',
      'application/json; charset=utf-16',
      'application/json; charset=x',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      '',
    );
    const input = fc.record({
      type: types,
      method: fc.constantFrom('POST', 'PUT', 'GET', 'DELETE', 'OPTIONS', 'PATCH'),
      body: fc.uint8Array({ maxLength: 100 }),
      encoding: fc.constantFrom('', 'gzip', 'br', 'x'),
    });
    await fuzz(input, async ({ type, method, body, encoding }) => {
      const headers = {
        ...scene.bearer,
        ...(type && { 'content-type': type }),
        ...(encoding && { 'content-encoding': encoding }),
      };
      await scene.fetch('/graphql', { method, headers, ...(method === 'GET' ? {} : { body: Buffer.from(body) }) });
    });
  });

  it('by GET', async () => {
    await fuzz(fc.tuple(nastyText, nastyText), async ([query, variables]) => {
      const parameters = new URLSearchParams({ query: query.slice(0, 1_000), variables: variables.slice(0, 1_000) });
      await scene.fetch(`/graphql?${parameters.toString()}`, {
        headers: { ...scene.bearer, 'apollo-require-preflight': '1' },
      });
    });
  });
});

describe('over a WebSocket', () => {
  const subscriptions = roots.filter(({ kind }) => kind === 'subscription');

  it.each(subscriptions.map((root) => [root.field.name, root] as const))('%s', async (_, root) => {
    await fuzz(
      operations(root, known as Known),
      async ({ query, variables }) => {
        const url = `${scene.server.url.replace('http', 'ws')}/graphql`;
        const client = createClient({
          url,
          webSocketImpl: WebSocket,
          connectionParams: { Authorization: `Bearer ${scene.token}` },
          retryAttempts: 0,
        });
        const heard: unknown[] = [];
        // What is subscribed to for good ends with the client; a query beside it shows that both sides are there.
        const ended = new Promise<void>((resolve) => {
          client.subscribe(
            { query, variables: { ...variables } },
            {
              next: (value) => heard.push(value),
              error: (error) => resolve(void heard.push(error)),
              complete: resolve,
            },
          );
          client.subscribe(
            { query: '{ __typename }' },
            { next: () => undefined, error: () => resolve(), complete: resolve },
          );
        });
        await ended;
        await client.dispose();
        expect(JSON.stringify(heard)).not.toMatch(/INTERNAL|node_modules/);
      },
      { share: 0.5 },
    );
  });

  it('messages of all kinds', async () => {
    const text = fc.oneof(
      nastyText,
      nastyJson.map((value) => JSON.stringify(value)),
      fc
        .record(
          {
            type: fc.constantFrom('connection_init', 'subscribe', 'ping', 'pong', 'complete', 'x'),
            id: nastyJson,
            payload: nastyJson,
          },
          { requiredKeys: [] },
        )
        .map((message) => JSON.stringify(message)),
    );
    await fuzz(
      fc.array(fc.oneof(text, fc.uint8Array({ maxLength: 50 })), { minLength: 1, maxLength: 4 }),
      async (messages) => {
        const socket = new WebSocket(`${scene.server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        const closed = new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
        socket.on('open', () => {
          for (const message of messages) socket.send(message);
          socket.close();
        });
        await closed;
      },
    );
  });
});
