import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codesOf } from '../../support/fuzz/answers.js';
import { fuzz } from '../../support/fuzz/runs.js';
import { FuzzScene } from '../../support/fuzz/scene.js';
import { headerText, nastyJson, nastyText } from '../../support/fuzz/values.js';
import { PASSWORD } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const SIGN_IN =
  'mutation ($u: String!, $p: String!, $c: Boolean!) { signIn(username: $u, password: $p, cookie: $c) { token expiresAt } }';

let scene: FuzzScene;
beforeAll(async () => {
  scene = await FuzzScene.start('fuzz-sign-in');
  for (const username of ['known', 'disabled', 'locked']) {
    await scene.graphql({
      query: `mutation { createAccount(username: "${username}", password: "a password of theirs", roles: [viewer]) { account { id } } }`,
    });
  }
  const { body } = await scene.graphql({ query: '{ accounts { edges { node { id username } } } }' });
  const { data } = JSON.parse(body.toString()) as {
    data: { accounts: { edges: { node: { id: string; username: string } }[] } };
  };
  const disabled = data.accounts.edges.find(({ node }) => node.username === 'disabled')?.node.id ?? '';
  await scene.graphql({ query: `mutation { disableAccount(id: "${disabled}") { disabled } }` });
});
afterAll(() => scene.dispose());
afterEach(() => scene.expectHealthy());

const signIn = (u: unknown, p: unknown, headers: Record<string, string> = {}, c: unknown = false) =>
  scene.graphql({ query: SIGN_IN, variables: { u, p, c } }, headers);

describe('nobody is let in', () => {
  it('with any name and password', async () => {
    const name = fc.oneof(
      nastyText,
      fc.constantFrom('admin', 'ADMIN', ' admin', 'admin ', 'ａｄｍｉｎ', 'known'),
      nastyJson,
    );
    await fuzz(fc.tuple(name, fc.oneof(nastyText, nastyJson), fc.boolean()), async ([username, password, cookie]) => {
      const answer = await signIn(username, password, {}, cookie);
      const allowed = ['SIGN_IN_REFUSED', 'TOO_MANY_REQUESTS', 'BAD_USER_INPUT', 'INVALID_REQUEST', 'CROSS_SITE_CALL'];
      expect(allowed).toEqual(expect.arrayContaining(codesOf(answer)));
      expect(answer.body.toString()).not.toContain('"data":{"signIn":{');
    });
  });

  it('with any token or cookie', async () => {
    const header = fc.oneof(
      headerText,
      headerText.map((text) => `Bearer ${text}`),
      headerText.map((text) => `odst=${text}`),
      fc.constantFrom(
        'Bearer ',
        'bearer odst_',
        `Bearer ${'a'.repeat(600)}`,
        'Basic YWRtaW46YQ==',
        'odst=',
        'odst=;odst=x',
      ),
    );
    await fuzz(fc.tuple(fc.constantFrom('authorization', 'cookie'), header), async ([name, value]) => {
      const lines = Object.entries({ ...scene.fromElsewhere(), [name]: value })
        .map(([key, text]) => `${key}: ${text}\r\n`)
        .join('');
      const body = '{"query":"{ me { username } }"}';
      const answer = await scene.raw(
        `POST /graphql HTTP/1.1\r\nHost: a\r\n${lines}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      expect([400, 401, 403]).toContain(answer?.status);
    });
  });

  it('with any header beside a right password, of another site', async () => {
    await fuzz(
      fc.tuple(
        fc.constantFrom('http://evil.example', 'null', 'https://127.0.0.1', ''),
        fc.constantFrom('cross-site', 'same-site', 'none'),
      ),
      async ([origin, site]) => {
        const answer = await signIn('admin', PASSWORD, { origin, 'sec-fetch-site': site, 'x-odst-csrf': '1' }, true);
        expect(codesOf(answer)).toEqual(['CROSS_SITE_CALL']);
      },
      { share: 0.25 },
    );
  });
});

describe('whether there is an account', () => {
  const NAMES = ['nobody', 'known', 'disabled'];
  /** All that a caller could see, but for what differs with each request. */
  const seen = async (username: string, password: string): Promise<unknown> => {
    const { status, headers, body } = await signIn(username, password);
    const told = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
    return { status, told, body: body.toString() };
  };

  it('shows in no word of a refusal', async () => {
    const answers = await Promise.all(NAMES.map((name) => seen(name, 'a wrong password')));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    // Who knows the password of a disabled account learns no more than who knows none.
    expect(await seen('disabled', 'a password of theirs')).toEqual(answers[0]);
  });

  /** What is said to wrong passwords until there is a pause: all of it, but that pauses may end meanwhile. */
  async function untilPaused(username: string, from: () => Record<string, string>, free: number): Promise<string[]> {
    const first: string[] = [];
    for (let i = 0; i < free; i++) first.push(...codesOf(await signIn(username, 'a wrong password', from())));
    await waitFor('a pause', async () =>
      codesOf(await signIn(username, 'a wrong password', from())).includes('TOO_MANY_REQUESTS'),
    );
    return first;
  }

  it.each([
    ['an account', 'locked'],
    ['no account', 'nobody else'],
  ])('shows in no pause: %s, from everywhere', async (_, username) => {
    expect(await untilPaused(username, () => scene.fromElsewhere(), 20)).toEqual(
      Array.from({ length: 20 }, () => 'SIGN_IN_REFUSED'),
    );
  });

  it.each([
    ['an account', 'known'],
    ['no account', 'nobody at all'],
  ])('shows in no pause: %s, from one address', async (_, username) => {
    const here = scene.fromElsewhere();
    expect(await untilPaused(username, () => here, 5)).toEqual(Array.from({ length: 5 }, () => 'SIGN_IN_REFUSED'));
  });
});
