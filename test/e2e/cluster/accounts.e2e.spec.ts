import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Cluster } from '../../support/cluster/cluster.js';
import { ask, bearer, listen, OWN_PASSWORD, signIn, somebody } from '../../support/people.js';
import { lacksRedis } from '../../support/redis.js';
import type { ServerUnderTest } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const READ = '{ server { id } }';
const Issued = z.object({ createApiToken: z.object({ apiToken: z.object({ id: z.string() }), token: z.string() }) });

describe.skipIf(lacksRedis())('accounts on 2 api processes on EventStoreDB, PostgreSQL and Redis', () => {
  let cluster: Cluster;
  let one: ServerUnderTest;
  let other: ServerUnderTest;

  beforeAll(async () => {
    cluster = await Cluster.start('accounts', { apis: 2, workers: 0 });
    [one, other] = cluster.apis as [ServerUnderTest, ServerUnderTest];
  });
  afterAll(() => cluster.dispose());

  const codeOn = async (server: ServerUnderTest, headers: Record<string, string>): Promise<string | null> =>
    (await ask(server, headers, READ)).code;
  const asAdmin = async (query: string, variables: object) =>
    ask(one, bearer((await one.client()).token), query, variables);

  it('a session and a password of one hold on the other at once', async () => {
    const person = await somebody(one, 'both', ['viewer']);
    expect(await codeOn(other, person.headers)).toBeNull();
    expect(await codeOn(other, bearer(await signIn(other, 'both', OWN_PASSWORD)))).toBeNull();
  });

  it('an account that is disabled on one is out on the other, also where it listens', async () => {
    const person = await somebody(one, 'leaver', ['admin']);
    const heard = listen(other, 'subscription { auditRecorded { kind } }', { authorization: `Bearer ${person.token}` });
    await waitFor('the subscription', () => heard.opened);
    expect(
      (await asAdmin('mutation ($id: ID!) { disableAccount(id: $id) { id } }', { id: person.id })).code,
    ).toBeNull();
    await waitFor('the other to refuse', async () => (await codeOn(other, person.headers)) === 'UNAUTHENTICATED');
    await waitFor('the end of the subscription', () => heard.ended !== null);
  });

  it('a token that is revoked on one is refused on the other', async () => {
    const person = await somebody(one, 'robot', ['viewer']);
    const create = 'mutation { createApiToken(name: "ci", scopes: [read]) { apiToken { id } token } }';
    const { data, message } = await ask(one, person.headers, create);
    expect(message).toBeNull();
    const { token, apiToken } = Issued.parse(data).createApiToken;
    expect(await codeOn(other, bearer(token))).toBeNull();
    await ask(one, person.headers, 'mutation ($id: ID!) { revokeApiToken(id: $id) }', { id: apiToken.id });
    await waitFor('the other to refuse', async () => (await codeOn(other, bearer(token))) === 'UNAUTHENTICATED');
  });

  it('wrong passwords count together, whichever process they are sent to', async () => {
    await somebody(one, 'target', ['viewer']);
    const tryOn = async (server: ServerUnderTest) =>
      (await ask(server, {}, 'mutation { signIn(username: "target", password: "not it at all") { token } }')).code;
    const codes: (string | null)[] = [];
    for (let i = 0; i < 12; i++) codes.push(await tryOn(i % 2 === 0 ? one : other));
    expect(codes).toContain('TOO_MANY_REQUESTS');
    for (const server of [one, other]) expect(await tryOn(server)).toBe('TOO_MANY_REQUESTS');
  });
});
