import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buildSchema, isObjectType } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { findCharacterFault } from '../../../src/kernel/input-text.js';
import { packageIdOf } from '../../../src/platform/runtime/ids.js';
import { BAD_FORMATS, BAD_TEXTS, OTHER_FORM } from '../../support/bad-input.js';
import { ActingPeer } from '../../support/fuzz/acting-peer.js';
import { type Operation, rootFields } from '../../support/fuzz/schema-walk.js';
import { FuzzScene } from '../../support/fuzz/scene.js';
import { textPlaces } from '../../support/fuzz/text-arguments.js';
import { bearer } from '../../support/people.js';
import { closeAll, serve } from '../../support/scripted-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { exampleFacts, exampleItem, WIRE_EXAMPLES } from '../../support/wire-examples.js';

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
const places = rootFields(schema).flatMap((root) =>
  textPlaces(root).map((place) => ({ root, place, name: `${root.field.name}: ${place.path.join('.')}` })),
);

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }) })).optional(),
});
const Trail = z.object({
  data: z.object({ auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ id: z.string() }) })) }) }),
});

let scene: FuzzScene;
let peer: ActingPeer;
beforeAll(async () => {
  scene = await FuzzScene.start('doors', { ODST_NAME: '', ODST_URL: '', ODST_ALLOWED_PEER_ADDRESSES: '127.0.0.1' });
  peer = await ActingPeer.register(scene);
});
afterAll(async () => {
  await closeAll();
  await scene.dispose();
});
afterEach(() => scene.expectHealthy());

const ask = async (operation: Operation): Promise<z.infer<typeof Answer>> =>
  Answer.parse(JSON.parse((await scene.graphql(operation)).body.toString()));

/** The id of the newest entry, about a target or about anything; none when there is none. */
async function entries(target: string | null = null): Promise<string[]> {
  const query = 'query($filter: AuditFilter) { auditTrail(first: 1, filter: $filter) { edges { node { id } } } }';
  const { data } = Trail.parse(await ask({ query, variables: { filter: target === null ? null : { target } } }));
  return data.auditTrail.edges.map(({ node }) => node.id);
}

/** Passwords are no texts that people see: they are stored as hashes, so they may have whatever can be sent. */
const PASSWORDS = new Set(['password', 'current', 'new']);
const NOT_EVEN_IN_PASSWORDS = [
  'NUL',
  'NUL inside',
  'half of a pair, high',
  'half of a pair, low',
  'a pair the wrong way round',
  'too long',
];
/** What has a format of its own is refused as a whole, by its own code. */
const OWN_CODES: Readonly<Record<string, string>> = { after: 'INVALID_CURSOR', token: 'INVALID_INVITATION' };

function badTextsFor(name: string, type: string): [string, string][] {
  const all = Object.entries(type === 'DateTime' ? { ...BAD_TEXTS, ...BAD_FORMATS } : BAD_TEXTS);
  return PASSWORDS.has(name) ? all.filter(([what]) => NOT_EVEN_IN_PASSWORDS.includes(what)) : all;
}

describe('GraphQL', () => {
  it('has texts in many arguments, and below the root only cursors', () => {
    expect(places.length).toBeGreaterThan(40);
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const inner = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) && !roots.includes(type) && !type.name.startsWith('__')
        ? Object.values(type.getFields()).flatMap((field) =>
            textPlaces({ kind: 'query', field }).map(({ path }) => `${type.name}.${field.name}: ${path.join('.')}`),
          )
        : [],
    );
    expect(inner.filter((name) => !name.endsWith(': after'))).toEqual([]);
  });

  const answered = places.filter(({ root }) => root.kind !== 'subscription');
  it.each(answered.map(({ name, place }) => [name, place] as const))(
    'refuses bad texts, and records nothing: %s',
    async (_, { path, type, operation }) => {
      const before = await entries();
      const name = path.at(-1) ?? '';
      for (const [what, text] of badTextsFor(name, type)) {
        const { data, errors } = await ask(operation(text));
        const [error] = errors ?? [];
        const expected =
          type === 'DateTime' ? ['BAD_USER_INPUT', 'INVALID_REQUEST'] : ['INVALID_REQUEST', OWN_CODES[name]];
        expect([what, expected.includes(error?.extensions.code), Object.values(data ?? {}).filter(Boolean)]).toEqual([
          what,
          true,
          [],
        ]);
        // What has a code of its own has a sentence of its own.
        const named = expected[0] === error?.extensions.code && type !== 'DateTime' ? name : '';
        expect(error?.message).toMatch(named === '' ? /./ : new RegExp(`\`[^\`]*\\b${named}\\b`));
        expect(error?.message).not.toMatch(
          /Invalid (?:input|option)|expected string|received|Too (?:big|small)|Unrecognized/,
        );
      }
      expect(await entries()).toEqual(before);
    },
  );

  const subscribed = places.filter(({ root }) => root.kind === 'subscription');
  it.each(subscribed.map(({ name, place }) => [name, place] as const))(
    'refuses bad texts over a WebSocket: %s',
    async (_, { path, type, operation }) => {
      const client = createClient({
        url: `${scene.server.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { Authorization: `Bearer ${scene.token}` },
        retryAttempts: 0,
      });
      for (const [what, text] of badTextsFor(path.at(-1) ?? '', type)) {
        const { query, variables } = operation(text);
        const heard = await new Promise<unknown>((resolve) => {
          client.subscribe(
            { query, variables: { ...variables } },
            { next: resolve, error: resolve, complete: () => resolve('complete') },
          );
        });
        expect([what, JSON.stringify(heard)]).toEqual([
          what,
          expect.stringMatching(/"code":"(?:INVALID_REQUEST|BAD_USER_INPUT)"/),
        ]);
      }
      await client.dispose();
    },
  );

  it('normalises what people type', async () => {
    const query = 'mutation($name: String!) { createApiToken(name: $name, scopes: [read]) { apiToken { name } } }';
    const { data } = await ask({ query, variables: { name: `Bu${OTHER_FORM}ro` } });
    expect(data).toEqual({ createApiToken: { apiToken: { name: 'Buéro' } } });
  });
});

describe('the export of the audit trail', () => {
  it.each(['actor', 'target', 'text', 'kinds', 'since', 'until'])('refuses bad texts in %s', async (name) => {
    const bad = Object.entries(name === 'since' || name === 'until' ? { ...BAD_TEXTS, ...BAD_FORMATS } : BAD_TEXTS);
    for (const [what, text] of bad) {
      // An address has no halves of pairs, and not so many characters.
      if (/\p{Surrogate}/u.test(text)) continue;
      const sent = encodeURIComponent(text.slice(0, 5_000));
      const answer = await scene.fetch(`/api/audit/export?${name}=${sent}`, { headers: scene.bearer });
      expect([what, answer.status, answer.body.toString()]).toEqual([
        what,
        400,
        expect.stringMatching(new RegExp(`"code":"INVALID_REQUEST".*\`${name}`)),
      ]);
    }
  });
});

describe('what a stranger says who is refused', () => {
  const Noted = z.object({
    data: z.object({
      auditTrail: z.object({
        edges: z.array(z.object({ node: z.object({ id: z.string(), summary: z.string(), details: z.unknown() }) })),
      }),
    }),
  });

  let noted = '';

  /** All texts of the newest entry of a kind, once there is one that was not there before. */
  async function notedTexts(kind: string): Promise<string[]> {
    const query =
      'query($kind: String!) { auditTrail(first: 1, filter: { kinds: [$kind] }) { edges { node { id summary details } } } }';
    return waitFor(`another ${kind}`, async () => {
      const [edge] = Noted.parse(await ask({ query, variables: { kind } })).data.auditTrail.edges;
      if (!edge || edge.node.id === noted) return null;
      noted = edge.node.id;
      return [edge.node.summary, ...Object.values(edge.node.details ?? {}).map(String)];
    });
  }

  const NAMES = [...Object.values(BAD_TEXTS).map((text) => text.slice(0, 500)), `${'a'.repeat(199)}😀`];

  it('is noted as a text that can be stored: the name of a download', async () => {
    const protect =
      'mutation($mode: DownloadProtectionMode!, $username: String) { setDownloadProtection(mode: $mode, username: $username) { generatedPassword } }';
    await ask({ query: protect, variables: { mode: 'BASIC', username: 'reader' } });
    for (const name of NAMES) {
      const authorization = `Basic ${Buffer.from(`${name}:x`).toString('base64')}`;
      expect((await scene.fetch('/Packages/known.pkg', { headers: { authorization } })).status).toBe(401);
      const texts = await notedTexts('DownloadRefused');
      expect(texts.length).toBeGreaterThan(1);
      expect(texts.map((text) => findCharacterFault(text))).toEqual(texts.map(() => null));
    }
    await ask({ query: protect, variables: { mode: 'NONE' } });
  });

  it('is noted as a text that can be stored: a name that is cut in the middle of a pair', async () => {
    const query = 'mutation($username: String!) { signIn(username: $username, password: "x") { token } }';
    const answer = await scene.graphql({ query, variables: { username: `${'a'.repeat(99)}😀` } }, {});
    expect(answer.body.toString()).toContain('SIGN_IN_REFUSED');
    const texts = await notedTexts('SignInRefused');
    expect(texts.join(' ')).toContain('a'.repeat(99));
    expect(texts.map((text) => findCharacterFault(text))).toEqual(texts.map(() => null));
  });
});

describe('a server that registers', () => {
  it.each(Object.entries(BAD_TEXTS))('cannot have a name with %s', async (_, name) => {
    const before = await entries();
    const { serverId, publicKey } = peer.identity;
    const body = { ...Object(WIRE_EXAMPLES['registration']), serverId, publicKey, name: name.slice(0, 5_000) };
    const answer = await scene.fetch('/peer/v1/registrations', peer.call('POST', '/peer/v1/registrations', body, null));
    expect([answer.status, answer.body.toString()]).toEqual([400, expect.stringContaining('`name` must')]);
    expect(await entries()).toEqual(before);
  });
});

describe('a peer that lies in its feed', () => {
  const stampOf = (ms: number): string => `${ms.toString(16).padStart(12, '0')}-0000-${exampleFacts.packageId}`;

  /** An item about a package of that name, which was removed: it is learned without any other call. */
  function removedPackage(
    filename: string,
    change: object = {},
  ): { readonly packageId: string; readonly item: object } {
    const packageId = packageIdOf(filename, exampleFacts.sha256);
    const [publication, removal] = [stampOf(Date.now() - 2_000), stampOf(Date.now() - 1_000)];
    const registers = { stage: 'Prod', stageStamp: publication, publication, removal };
    const facts = { ...exampleFacts, ...registers, packageId, filename, ...change };
    return { packageId, item: { ...exampleItem, facts, held: null, fetching: null } };
  }

  it('is not believed, is named in the log, and holds nothing up', async () => {
    const origin = exampleFacts.origin;
    const lies: [string, object][] = [
      ...Object.values(BAD_TEXTS).flatMap((text): [string, object][] => [
        ['facts.uploadedBy', { uploadedBy: text }],
        ['facts.origin.name', { origin: { ...origin, name: text } }],
      ]),
      ['facts.firstPublishedAt', { firstPublishedAt: '0000-01-01T00:00:00.000Z' }],
      ['facts.firstPublishedAt', { firstPublishedAt: '+275760-09-13T00:00:00.000Z' }],
      ['facts.publication', { publication: stampOf(0) }],
      ['facts.removal', { removal: 'ffffffffffff-0000-a' }],
    ];
    const told = lies.map(([field, change], i) => ({ field, ...removedPackage(`lie-${i}.pkg`, change) }));
    const old = removedPackage('verified-in-year-0.pkg');
    const heldInYear0 = { ...old.item, held: { verifiedAt: '0000-01-01T00:00:00.000Z', lineage: [] } };
    const good = removedPackage('good.pkg');
    const lines = [
      ...told.map(({ item }) => JSON.stringify(item)),
      JSON.stringify(heldInYear0),
      'not JSON',
      JSON.stringify(good.item),
    ];
    const messages = lines.map((line, i) => `id: e.${i}\ndata: ${line}\n\n`).join('');
    const url = await serve((socket, head) => {
      if (!head.includes('/peer/v1/feed')) return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
      return socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${messages}`);
    });
    await ActingPeer.register(scene, url);

    await waitFor('the good item after all the bad ones', async () => (await entries(good.packageId)).length > 0);
    for (const { packageId } of [...told, old]) expect(await entries(packageId)).toEqual([]);
    for (const { field, packageId } of told.slice(0, 10))
      expect(scene.server.output).toMatch(new RegExp(`package ${packageId} from .* is refused: \`${field}\` must`));
    expect(scene.server.output).toContain('`held.verifiedAt` must');
    expect((await scene.server.put('after-the-lies.pkg', Buffer.from('still here'))).status).toBe(201);
    expect((await scene.fetch('/health/ready')).status).toBe(200);
  });
});

describe('what is typed in another normal form', () => {
  const typed = places.filter(({ root, place }) => root.kind !== 'subscription' && place.type !== 'DateTime');
  it.each(typed.map(({ name, place }) => [name, place] as const))(
    'is the text that looks the same: %s',
    async (_, { operation }) => {
      const { body } = await scene.graphql(operation(`caf${OTHER_FORM}`));
      expect(body.toString()).not.toMatch(/normal form|INTERNAL/);
      expect(body.toString().normalize('NFC')).toBe(body.toString());
    },
  );

  const SEARCHED = ['target', 'text', 'actor'] as const;
  it.each(SEARCHED)('is found in the audit trail, its export and its subscription: %s', async (field) => {
    const Created = z.object({ data: z.object({ createApiToken: z.object({ token: z.string() }) }) });
    const make = 'mutation($name: String!) { createApiToken(name: $name, scopes: [upload]) { token } }';
    const made = await ask({ query: make, variables: { name: `Café ${field}` } });
    const token = Created.parse(made).data.createApiToken.token;
    const upload = (path: string, body: string) =>
      scene.fetch(`/api/packages/${path}`, { method: 'PUT', headers: bearer(token), body });
    // A filter may name only somebody of whom there is an entry.
    await upload(`before-${field}.pkg`, 'before');
    const client = createClient({
      url: `${scene.server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { Authorization: `Bearer ${scene.token}` },
    });
    const content = `content for ${field}`;
    const id = packageIdOf('Café.pkg', createHash('sha256').update(content).digest('hex'));
    const search = {
      target: id,
      text: `caf${OTHER_FORM}.pkg`,
      actor: `Caf${OTHER_FORM} ${field} of admin`,
    }[field];
    const filter = { [field]: search, kinds: ['PackagePublished'] };
    const heard: unknown[] = [];
    const subscribed = 'subscription($filter: AuditFilter) { auditRecorded(filter: $filter) { summary } }';
    client.subscribe(
      { query: subscribed, variables: { filter } },
      { next: (value) => heard.push(value), error: (error) => heard.push(error), complete: () => undefined },
    );
    await upload(`Caf${encodeURIComponent(OTHER_FORM)}.pkg`, content);
    const said = expect.stringContaining('Café.pkg');
    const query =
      'query($filter: AuditFilter) { auditTrail(first: 1, filter: $filter) { edges { node { summary } } } }';
    const { data } = await ask({ query, variables: { filter } });
    expect(data).toEqual({ auditTrail: { edges: [{ node: { summary: said } }] } });
    const exported = await scene.fetch(
      `/api/audit/export?format=csv&kinds=PackagePublished&${field}=${encodeURIComponent(search)}`,
      { headers: scene.bearer },
    );
    expect(exported.body.toString().split('\n').slice(1).filter(Boolean)).toContainEqual(said);
    await waitFor('the entry over the subscription', () => heard.length > 0);
    expect(heard).toEqual([{ data: { auditRecorded: { summary: said } } }]);
    await client.dispose();
  });
});
