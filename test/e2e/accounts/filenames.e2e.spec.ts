import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask, bearer, somebody } from '../../support/people.js';
import { ServerUnderTest } from '../../support/server-under-test.js';

type Headers = Readonly<Record<string, string>>;

/** A server that holds packages of all stages. */
let server: ServerUnderTest;
let admin: Headers;
const as: Record<string, Headers> = {};

beforeAll(async () => {
  server = await new ServerUnderTest('names', { ODST_STAGE: 'Dev' }).start();
  admin = bearer((await server.client()).token);
  for (const [name, roles, limit] of [
    ['dev.publisher', ['publisher'], 'Dev'],
    ['prod.publisher', ['publisher'], 'Prod'],
    ['operator', ['operator', 'publisher'], 'Prod'],
    ['auditor', ['auditor', 'publisher'], 'Test'],
    ['second.admin', ['admin'], null],
    ['viewer', ['viewer'], null],
  ] as const) {
    as[name] = (await somebody(server, name, roles, limit)).headers;
    as[`a token of ${name}`] = await tokenOf(as[name], roles.some((role) => role === 'viewer') ? ['read'] : ['upload']);
  }
});
afterAll(() => server.dispose());

const Made = z.object({ createApiToken: z.object({ token: z.string() }) });
async function tokenOf(owner: Headers, scopes: readonly string[]): Promise<Headers> {
  const create = `mutation ($scopes: [Permission!]!) { createApiToken(name: "t", scopes: $scopes) { token } }`;
  return bearer(Made.parse((await ask(server, owner, create, { scopes })).data).createApiToken.token);
}

const put = (headers: Headers, filename: string, content: string, stage = 'Dev') =>
  fetch(`${server.url}/api/packages/${filename}?stage=${stage}`, { method: 'PUT', headers, body: content });
const Uploaded = z.object({ id: z.string() });
const upload = async (headers: Headers, filename: string, content: string, stage = 'Dev') =>
  Uploaded.parse(await (await put(headers, filename, content, stage)).json()).id;
const promote = (headers: Headers, id: string, stage: string) =>
  ask(server, headers, `mutation { setPackageStage(id: "${id}", stage: ${stage}) { stage } }`);
const headersOf = (who: string): Headers => {
  const headers = as[who];
  if (!headers) throw new Error(`Nobody is ${who}`);
  return headers;
};

const LIMITED = ['dev.publisher', 'prod.publisher', 'operator', 'auditor'] as const;
const FREE = ['second.admin'] as const;
const tokensOf = (who: readonly string[]): readonly string[] => who.flatMap((name) => [name, `a token of ${name}`]);

describe.each(['Dev', 'Test', 'Prod'])('the filename of a package in %s', (stage) => {
  const name = (who: string): string => `${stage}-${who.replaceAll(' ', '-')}.pkg`;

  it.each([...tokensOf(LIMITED), 'viewer', 'a token of viewer'])('cannot be taken over by %s', async (who) => {
    await upload(admin, name(who), 'first', stage);
    const reply = await put(headersOf(who), name(who), 'other content');
    expect([reply.status, await reply.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
    expect(await (await fetch(`${server.url}/Packages/${name(who)}`)).text()).toBe('first');
  });

  it.each(tokensOf(FREE))('can be taken over by %s', async (who) => {
    await upload(admin, name(who), 'first', stage);
    expect((await put(headersOf(who), name(who), 'other content')).status).toBe(201);
    expect(await (await fetch(`${server.url}/Packages/${name(who)}`)).text()).toBe('other content');
  });
});

it.each(tokensOf(LIMITED))('%s replaces an own package, also one that an admin has promoted', async (who) => {
  const name = `own-${who.replaceAll(' ', '-')}.pkg`;
  const id = await upload(headersOf(who), name, 'first');
  expect((await promote(admin, id, 'Prod')).data).toEqual({ setPackageStage: { stage: 'Prod' } });
  expect((await put(headersOf(who), name, 'second')).status).toBe(201);
});

it('a filename is free again when its package was removed', async () => {
  const id = await upload(admin, 'freed.pkg', 'first');
  await ask(server, admin, `mutation { removePackage(id: "${id}") { state } }`);
  expect((await put(headersOf('dev.publisher'), 'freed.pkg', 'second')).status).toBe(201);
});

it('a promotion does not take a filename over from somebody else', async () => {
  const me = headersOf('prod.publisher');
  // The later package of the admin keeps Dev; the earlier one, of somebody else, is served in Prod.
  await upload(headersOf('operator'), 'promoted.pkg', 'in Prod', 'Prod');
  const id = await upload(admin, 'promoted.pkg', 'in Dev');
  expect(await promote(me, id, 'Prod')).toMatchObject({
    code: 'FORBIDDEN',
    message: expect.stringContaining('operator has published promoted.pkg') as string,
  });
  expect((await promote(headersOf('second.admin'), id, 'Prod')).code).toBeNull();
});

it('a filename is refused before the bytes are sent', async () => {
  await upload(admin, 'large.pkg', 'first');
  const { authorization } = headersOf('dev.publisher');
  const socket = connect(server.port, '127.0.0.1');
  socket.write(
    `PUT /api/packages/large.pkg?stage=Dev HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Length: 5000000000\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
  );
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 (?:.|\r|\n)*"FORBIDDEN"/);
});

it('a form is refused as well, whose stage comes after the file', async () => {
  await upload(admin, 'form.pkg', 'first', 'Prod');
  const form = new FormData();
  form.append('file', new Blob(['second']), 'form.pkg');
  form.append('stage', 'Dev');
  const reply = await fetch(`${server.url}/api/packages`, {
    method: 'POST',
    headers: headersOf('dev.publisher'),
    body: form,
  });
  expect([reply.status, await reply.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
});
