import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, print } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answersIn, caseOf, CASES, type Context, fillIn } from '../support/documented-cases.js';
import {
  commandBlocks,
  commandsIn,
  commandsInSentences,
  type Outcome,
  runShell,
} from '../support/documented-commands.js';
import { startPair, type Pair } from '../support/pair.js';
import { signIn, somebody } from '../support/people.js';
import { PASSWORD, sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

let pair: Pair;
beforeAll(async () => (pair = await startPair()));
afterAll(() => pair.dispose());

const Uploaded = z.object({ id: z.string(), sha256: z.string(), size: z.number() });
const MIB = 1024 * 1024;
const TRAIL = '{ auditTrail(first: 100) { edges { node { kind actor { kind name } address } } } }';

it('serves on B, byte for byte and with the same validators, what was uploaded on A', async () => {
  const bytes = randomBytes(9 * MIB + 12_345);
  const reply = await pair.a.put('First Light ü.pkg', bytes);
  expect(reply.status).toBe(201);
  expect(Uploaded.parse(await reply.json())).toMatchObject({ sha256: sha256(bytes), size: bytes.length });

  await waitFor('the copy on B', async () => (await pair.b.servedDigest('First Light ü.pkg')) === sha256(bytes));
  const [onA, onB] = await Promise.all([pair.a.download('First Light ü.pkg'), pair.b.download('First Light ü.pkg')]);
  for (const header of ['etag', 'last-modified', 'repr-digest', 'content-length', 'accept-ranges']) {
    expect(onB.headers.get(header)).toBe(onA.headers.get(header));
    expect(onB.headers.get(header)).not.toBeNull();
  }
  expect(onA.headers.get('etag')).toBe(`"${sha256(bytes)}"`);
});

it('replicates the other way round as well, and an empty file too', async () => {
  expect((await pair.b.put('from-b.pkg', randomBytes(100))).status).toBe(201);
  const refused = await pair.b.put('empty.pkg', Buffer.alloc(0));
  expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'EMPTY_FILE' }]);
  expect((await pair.b.put('empty.pkg', Buffer.alloc(0), '?allowEmpty=true')).status).toBe(201);
  await waitFor('the copy on A', async () => (await pair.a.download('from-b.pkg')).ok);
  await waitFor(
    'the empty copy on A',
    async () => (await pair.a.servedDigest('empty.pkg')) === sha256(Buffer.alloc(0)),
  );
});

it('serves the newest content of a filename on both, and neither after removal', async () => {
  for (const content of ['one', 'two']) await pair.a.put('same.pkg', Buffer.from(content));
  await waitFor(
    'the newer content on B',
    async () => (await pair.b.servedDigest('same.pkg')) === sha256(Buffer.from('two')),
  );
  const client = await pair.a.client();
  const Package = z.object({ package: z.object({ id: z.string() }) });
  const { package: found } = await client.ask('{ package(filename: "same.pkg") { id } }', Package);
  await client.ask('mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), { id: found.id });
  expect(await pair.a.servedDigest('same.pkg')).not.toBe(sha256(Buffer.from('two')));
  await waitFor('the removal on B', async () => (await pair.b.servedDigest('same.pkg')) !== sha256(Buffer.from('two')));
});

it('tells in the audit trail who did it, on both servers', async () => {
  const Actor = z.object({ kind: z.string(), name: z.string() });
  const Entry = z.object({ kind: z.string(), actor: Actor, address: z.string().nullable() });
  const Trail = z.object({
    auditTrail: z.object({
      edges: z.array(z.object({ node: Entry })),
    }),
  });
  const ask = async (server: Pair['a']) =>
    (await (await server.client()).ask(TRAIL, Trail)).auditTrail.edges.map(({ node }) => node);
  const [onA, onB] = [await ask(pair.a), await ask(pair.b)];
  expect(onA.find(({ kind }) => kind === 'PackagePublished')).toBeDefined();
  expect(
    onA.some(({ kind, actor, address }) => kind === 'PackageRemoved' && actor.name === 'admin' && address !== null),
  ).toBe(true);
  expect(onB.some(({ kind }) => kind === 'ReplicaPublished')).toBe(true);
  expect(onB.some(({ kind, actor }) => kind === 'PeerInvited' && actor.name === 'admin')).toBe(true);
  expect(onA.some(({ kind }) => kind === 'PeerRegistered')).toBe(true);
});

it('has no refused call on record after a fresh registration, on either side', async () => {
  const Refused = z.object({
    auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ summary: z.string() }) })) }),
  });
  const query = '{ auditTrail(first: 10, filter: { kinds: ["PeerCallRefused"] }) { edges { node { summary } } } }';
  for (const server of [pair.a, pair.b]) {
    expect((await (await server.client()).ask(query, Refused)).auditTrail.edges).toEqual([]);
    expect(server.output).not.toContain('Cannot follow');
  }
});

it('answers nobody without a session, downloads and health aside', async () => {
  const graphql = (query: string) =>
    fetch(`${pair.a.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
  for (const query of [
    '{ packages(first: 1) { edges { node { id } } } }',
    '{ __schema { types { name } } }',
    '{ server { id } }',
  ]) {
    expect(await (await graphql(query)).text()).toContain('UNAUTHENTICATED');
  }
  expect((await fetch(`${pair.a.url}/api/packages/x.pkg`, { method: 'PUT', body: 'x' })).status).toBe(401);
  for (const path of ['/peer/v1/feed', '/peer/v1/packages/x/manifest', '/peer/v1/packages/x/content']) {
    expect((await fetch(`${pair.a.url}${path}`)).status).toBe(401);
  }
  expect((await fetch(`${pair.a.url}/health/live`)).status).toBe(200);
});

describe('the commands of the documentation', () => {
  const blocks = [...commandBlocks('sh', 'graphql'), ...commandsInSentences()];
  const cases = Object.keys(CASES).flatMap((document) => {
    const here = blocks.filter((block) => block.document === document);
    const order = CASES[document] ?? [];
    return here
      .map((block) => ({ block, found: caseOf(block) }))
      .toSorted((one, other) => order.indexOf(one.found) - order.indexOf(other.found));
  });
  const functions = commandsIn('docs/how-to/run-a-server.md', 'sign_in() {');
  let context: Context;
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'odst-documented-'));
    // Commands of npm belong to the folder of the program, and files to that of the reader: here, both are one.
    for (const name of ['package.json', 'scripts', 'node_modules', 'dist', 'src', 'migrations'])
      symlinkSync(join(process.cwd(), name), join(folder, name));
    for (const name of ['Foo.pkg', 'Firefox.pkg']) writeFileSync(join(folder, name), `content of ${name}`);
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'secrets/admin-password'), PASSWORD);
    const account = await somebody(pair.a, 'bea', ['publisher'], 'Test');
    const removed = await pair.a.put('removed.pkg', randomBytes(100));
    const Ids = z.object({
      server: z.object({ publicKey: z.string() }),
      peers: z.array(z.object({ id: z.string() })),
      sessions: z.array(z.object({ id: z.string(), current: z.boolean() })),
    });
    await signIn(pair.a, 'admin', PASSWORD);
    const found = await (
      await pair.a.client()
    ).ask('{ server { publicKey } peers { id } sessions { id current } }', Ids);
    context = {
      a: pair.a.url,
      b: pair.b.url,
      password: PASSWORD,
      ids: {
        account: account.id,
        peer: found.peers[0]?.id ?? '',
        session: found.sessions.find(({ current }) => !current)?.id ?? '',
        'public key': found.server.publicKey,
        'removed.pkg': Uploaded.parse(await removed.json()).id,
      },
    };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Who is signed in, by the name that the documentation gives to the token: the server, the password and the person. */
  const signIns: Readonly<Record<string, readonly ['a' | 'b', string, string]>> = {
    TA: ['a', PASSWORD, 'admin'],
    TB: ['b', PASSWORD, 'admin'],
    TC: ['a', PASSWORD, 'admin'],
    TF: ['b', PASSWORD, 'admin'],
    ANN: ['a', '12 to 200 characters of any kind', 'ann'],
  };
  const tokens = new Map<string, string>();
  async function tokenOf(name: string): Promise<string> {
    const [server = 'a', password = '', person = ''] = signIns[name] ?? [];
    const known = tokens.get(name);
    if (known !== undefined) return known;
    const { stdout } = await runShell(`${functions}\nsign_in '${pair[server].url}' '${password}' ${person}`, {});
    tokens.set(name, stdout.trim());
    return stdout.trim();
  }

  const run = async (commands: string): Promise<Outcome> => {
    const { a, b, ids } = context;
    // Variables of the shell and not of the environment: tools of the server refuse settings that they do not know.
    const variables = Object.entries({ A: a, B: b, C: a, F: b, ODS: a, ODST_TOKEN: ids['token'] ?? '' })
      .map(([name, value]) => `${name}='${value}'`)
      .join('\n');
    const signedIn: string[] = [];
    for (const name of Object.keys(signIns))
      if (commands.includes(`$${name}`) && !commands.includes(`${name}=`))
        signedIn.push(`${name}='${await tokenOf(name)}'`);
    return runShell(
      [functions, variables, ...signedIn, 'set -e', commands].join('\n'),
      { HOME: folder, ODST_DATA_DIR: pair.a.dataDir },
      folder,
    );
  };

  const runnable = cases.flatMap(({ block, found }) => ('why' in found ? [] : [{ block, found }]));
  it.each(runnable.map(({ block, found }) => [block.document, found.has, block, found] as const))(
    'do what they are for: %s, %s',
    async (_document, _has, { language, commands }, found) => {
      const filled = fillIn(commands, found, context);
      const inShell =
        language === 'sh'
          ? filled
          : parse(filled)
              .definitions.map((one) => `ask "$A" "$TA" '${print(one)}'`)
              .join('\n');
      const outcome = await run(inShell);
      const answers = answersIn(outcome);
      const errors = answers.flatMap((answer) => Object(answer).errors ?? []).map(({ message }) => String(message));
      const asked = inShell.match(/^\s*ask /gm)?.length ?? 0;
      const toFile = inShell.match(/> checkpoint\.json/g)?.length ?? 0;
      expect([outcome.code, outcome.output]).toEqual([0, outcome.output]);
      expect(outcome.output).not.toMatch(/GRAPHQL_VALIDATION_FAILED|UNAUTHENTICATED|Syntax Error/);
      expect(answers.length).toBeGreaterThanOrEqual(asked - toFile);
      expect(errors.filter((message) => !message.includes(found.refused ?? '\0'))).toEqual([]);
      found.note?.(answers, context);
    },
  );
});
