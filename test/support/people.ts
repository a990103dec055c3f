import { createClient } from 'graphql-ws';
import { Client as PgClient } from 'pg';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { runningSettings } from '../../src/adapters/database/embedded/embedded-database.js';
import type { ServerUnderTest } from './server-under-test.js';

const Answer = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }) })).optional(),
});

export const OWN_PASSWORD = 'a password of my own';

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** One GraphQL request. `code` is that of the first error, null when there is none. */
export async function ask(
  server: ServerUnderTest,
  headers: Record<string, string>,
  query: string,
  variables: object = {},
) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = Answer.parse(await response.json());
  return {
    status: response.status,
    response,
    data,
    code: errors?.[0]?.extensions.code ?? null,
    message: errors?.[0]?.message ?? null,
  };
}

const Created = z.object({
  createAccount: z.object({ account: z.object({ id: z.string() }), oneTimePassword: z.string() }),
});
const SignedIn = z.object({ signIn: z.object({ token: z.string() }) });

export async function signIn(server: ServerUnderTest, username: string, password: string): Promise<string> {
  const { data, message } = await ask(
    server,
    {},
    'mutation ($u: String!, $p: String!) { signIn(username: $u, password: $p) { token } }',
    {
      u: username,
      p: password,
    },
  );
  if (!data) throw new Error(message ?? 'No answer');
  return SignedIn.parse(data).signIn.token;
}

/** Somebody with an account of these roles, who is signed in and has changed their password. */
export async function somebody(
  server: ServerUnderTest,
  username: string,
  roles: readonly string[],
  publishUpTo: string | null = null,
) {
  const admin = bearer((await server.client()).token);
  const create = `mutation ($username: String!, $roles: [Role!]!, $publishUpTo: Stage) {
    createAccount(username: $username, roles: $roles, publishUpTo: $publishUpTo) { account { id } oneTimePassword } }`;
  const { account, oneTimePassword } = Created.parse(
    (await ask(server, admin, create, { username, roles, publishUpTo })).data,
  ).createAccount;
  const token = await signIn(server, username, oneTimePassword);
  const change = 'mutation ($current: String!, $new: String!) { changePassword(current: $current, new: $new) }';
  await ask(server, bearer(token), change, { current: oneTimePassword, new: OWN_PASSWORD });
  return { id: account.id, username, token, headers: bearer(token) };
}

export interface Heard {
  readonly values: unknown[];
  /** Why it ended; null while it goes on. */
  ended: { readonly code?: number } | null;
  opened: boolean;
}

/** What a subscription tells until it ends. */
export function listen(
  server: ServerUnderTest,
  query: string,
  connectionParams: Record<string, unknown>,
  headers: Record<string, string> = {},
): Heard {
  class WithHeaders extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, { headers });
    }
  }
  const heard: Heard = { values: [], ended: null, opened: false };
  const url = `${server.url.replace('http', 'ws')}/graphql`;
  const on = { connected: () => (heard.opened = true) };
  const client = createClient({ url, webSocketImpl: WithHeaders, connectionParams, retryAttempts: 0, lazy: true, on });
  client.subscribe(
    { query },
    {
      next: (value) => heard.values.push(value),
      error: (error) => (heard.ended = error as { code?: number }),
      complete: () => (heard.ended ??= {}),
    },
  );
  return heard;
}

/** Runs SQL in the database of a running server. */
export async function inDatabase(server: ServerUnderTest, sql: string): Promise<void> {
  const settings = await runningSettings(server.dataDir);
  if (!settings) throw new Error('The database does not run');
  const client = new PgClient(settings);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
