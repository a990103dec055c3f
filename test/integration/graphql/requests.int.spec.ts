import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../support/wait-for.js';
import { codes, GraphqlApp, OTHER_TOKEN } from '../../support/graphql-app.js';
import { publication, recorded } from '../../support/read-side.js';

let app: GraphqlApp;
beforeAll(async () => {
  app = await GraphqlApp.start();
});
afterAll(() => app.stop());

describe('without a session', () => {
  const stranger = (query: string, headers = {}) => app.post({ query }, headers);

  it.each([
    ['a query', '{ peers { id } }'],
    ['introspection', '{ __schema { types { name } } }'],
    ['the type name', '{ __typename }'],
    ['a mistake in a query', '{ nonsense }'],
    ['a syntax error', '{'],
    [
      'a sign-in with something beside it',
      'mutation { signIn(username: "a", password: "b") { token } removePackage(id: "x") { id } }',
    ],
    ['a sign-in as a query', '{ signIn }'],
    [
      'a sign-in through a fragment',
      'mutation { ...F } fragment F on Mutation { signIn(username: "a", password: "b") { token } }',
    ],
    ['very many sign-ins', `mutation { ${'signIn(username: "a", password: "b") { token } '.repeat(20)} }`],
  ])('%s learns only that a sign-in comes first', async (_, query) => {
    const answer = await stranger(query);
    expect(answer.status).toBe(401);
    expect(codes(answer)).toEqual(['UNAUTHENTICATED']);
  });

  it('is not let in by a token that is none', async () => {
    expect(codes(await stranger('{ peers { id } }', { authorization: 'Bearer wrong' }))).toEqual(['UNAUTHENTICATED']);
  });

  it('can sign in, and hears when that is refused', async () => {
    const signIn = (password: string) =>
      `mutation { signIn(username: "admin", password: "${password}") { token expiresAt } }`;
    const answer = await stranger(signIn('right'));
    expect(answer.body).toEqual({ data: { signIn: { token: 'good-token', expiresAt: '2030-01-01T00:00:00.000Z' } } });
    const refused = await stranger(signIn('wrong'));
    expect(codes(refused)).toEqual(['SIGN_IN_REFUSED']);
  });

  it('is what signing out leaves', async () => {
    const leave = () => stranger('mutation { signOut }', { authorization: `Bearer ${OTHER_TOKEN}` });
    expect((await leave()).body).toEqual({ data: { signOut: true } });
    expect(codes(await leave())).toEqual(['UNAUTHENTICATED']);
    expect((await app.query('{ peers { id } }')).body.errors).toBeUndefined();
  });

  it('cannot ask by GET', async () => {
    const response = await fetch(`${app.url}?query=${encodeURIComponent('{__typename}')}`, {
      headers: { 'apollo-require-preflight': '1' },
    });
    expect(response.status).toBe(401);
  });
});

describe('a request that is wrong', () => {
  it.each<[string, unknown, number, string]>([
    ['no query', {}, 400, 'BAD_REQUEST'],
    ['an empty one', { query: '' }, 400, 'BAD_REQUEST'],
    ['a query that is no text', { query: 7 }, 400, 'BAD_REQUEST'],
    ['a list of queries', [{ query: '{ peers { id } }' }], 400, 'BAD_REQUEST'],
    ['variables that are no object', { query: '{ peers { id } }', variables: 'x' }, 400, 'BAD_REQUEST'],
    ['a syntax error', { query: '{ peers { id }' }, 400, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', { query: '{ peers { nonsense } }' }, 400, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'an unknown operation',
      { query: 'query A { peers { id } }', operationName: 'B' },
      400,
      'OPERATION_RESOLUTION_FAILURE',
    ],
    ['a missing variable', { query: 'query($id: ID!) { peer(id: $id) { id } }' }, 400, 'BAD_USER_INPUT'],
    [
      'a stage that is none',
      { query: 'query($s: [Stage!]) { packages(filter: {stage: $s}) { totalCount } }', variables: { s: 'Live' } },
      400,
      'BAD_USER_INPUT',
    ],
    ['a subscription by POST', { query: 'subscription { peerChanged { id } }' }, 400, 'BAD_REQUEST'],
  ])('%s is told in so many words', async (_, body, status, code) => {
    const answer = await app.post(body);
    expect(codes(answer)).toEqual([code]);
    expect(answer.status).toBe(status);
    expect(answer.body.errors[0].message).not.toBe('');
    expect(answer.text).not.toMatch(/node_modules|\.ts:|\.js:|stacktrace/);
  });

  it('JSON that is none is refused by its own code', async () => {
    const answer = await app.post('{"query": ');
    expect(answer.status).toBe(400);
    expect(codes(answer)).toEqual(['INVALID_REQUEST']);
    const huge = await app.post(JSON.stringify({ query: ' '.repeat(1_100_000) }));
    expect(huge.status).toBe(413);
    expect(codes(huge)).toEqual(['TOO_LARGE']);
  });

  it.each([
    ['{ packages(after: "nonsense") { totalCount edges { cursor } } }', 'INVALID_CURSOR'],
    ['{ packages(first: 0) { edges { cursor } } }', 'INVALID_REQUEST'],
    ['{ packages(first: 101) { edges { cursor } } }', 'INVALID_REQUEST'],
    ['{ package(id: "no uuid") { id } }', 'INVALID_REQUEST'],
    ['{ package { id } }', 'INVALID_REQUEST'],
    ['{ package(filename: "a\\u0000b") { id } }', 'INVALID_REQUEST'],
    ['{ packages(filter: {filename: "\\u0000"}) { totalCount } }', 'INVALID_REQUEST'],
    ['{ auditTrail(filter: {text: "\\u0000"}) { edges { cursor } } }', 'INVALID_REQUEST'],
    ['{ auditTrail(filter: {actor: "nobody at all"}) { edges { cursor } } }', 'INVALID_REQUEST'],
    ['{ auditTrail(filter: {target: "app.pkg"}) { edges { cursor } } }', 'INVALID_REQUEST'],
    ['{ auditTrail(filter: {since: "yesterday"}) { edges { cursor } } }', 'BAD_USER_INPUT'],
    ['{ auditTrail(after: "e30") { edges { cursor } } }', 'INVALID_CURSOR'],
  ])('%s is refused as %s', async (query, code) => {
    expect(codes(await app.query(query))).toEqual([code]);
  });

  it('a failure inside tells nothing but a number', async () => {
    const answer = await app.query('{ broken }');
    expect(codes(answer)).toEqual(['INTERNAL']);
    expect(answer.text).not.toMatch(/secret|passwd/);
    expect(answer.body.errors[0].extensions.details.correlationId).toMatch(/^[\w-]{8,}$/);
  });
});

describe('data', () => {
  it('comes with chunks, replicas and audit trail in one request', async () => {
    const { packageId, ...data } = publication('app one.pkg', { size: 2_000_000 });
    const digests = { sha1: Buffer.alloc(40, 1).toString('base64'), sha256: Buffer.alloc(64, 2).toString('base64') };
    await app.record(
      recorded('PackageChunksHashed', { packageId, first: 0, count: 2, ...digests }),
      recorded('PackagePublished', { packageId, ...data }),
    );
    const query = `query($name: String!) { package(filename: $name) {
      id filename size stage state chunkCount downloadPath firstPublishedAt origin { name }
      chunks(first: 1) { edges { cursor node { index offset size sha1 } } pageInfo { hasNextPage endCursor } }
      replicas { local state progress verifiedBytes server { id } package { filename } } } }`;
    const found = await waitFor('the package', async () => {
      const answer = await app.query(query, { name: 'app one.pkg' });
      return answer.body.data?.package?.replicas?.length > 0 && answer.body.data.package;
    });
    expect(found).toMatchObject({
      id: packageId,
      size: 2_000_000,
      state: 'AVAILABLE',
      downloadPath: '/Packages/app%20one.pkg',
      firstPublishedAt: '2026-01-02T03:04:05.000Z',
      origin: { name: 'Here' },
      chunks: {
        edges: [{ node: { index: 0, offset: 0, size: 1_048_576, sha1: '01'.repeat(20) } }],
        pageInfo: { hasNextPage: true },
      },
      replicas: [
        {
          local: true,
          state: 'PUBLISHED',
          progress: 1,
          verifiedBytes: 2_000_000,
          package: { filename: 'app one.pkg' },
        },
      ],
    });
    const after: string = found.chunks.pageInfo.endCursor;
    const rest = await app.query(
      `{ package(id: "${packageId}") { chunks(after: "${after}") { edges { node { index size } } pageInfo { hasNextPage hasPreviousPage } } } }`,
    );
    expect(rest.body.data.package.chunks).toEqual({
      edges: [{ node: { index: 1, size: 951_424 } }],
      pageInfo: { hasNextPage: false, hasPreviousPage: true },
    });
    const list = await app.query('{ packages(orderBy: {field: SIZE}) { totalCount edges { node { filename } } } }');
    expect(list.body.data.packages).toEqual({ totalCount: 1, edges: [{ node: { filename: 'app one.pkg' } }] });
    const trail = await app.query(
      '{ auditTrail { edges { node { kind target { label } actor { kind name } details } } } }',
    );
    expect(trail.body.data.auditTrail.edges.map((edge: { node: { kind: string } }) => edge.node.kind)).toEqual([
      'PackagePublished',
      'PackageChunksHashed',
    ]);
  });
});

it('a field that states no need is refused to everybody', async () => {
  const { body } = await app.query('{ unstated }');
  expect(body).toMatchObject({ data: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
});

it('introspection tells what a field needs', async () => {
  const { body } = await app.query('{ type: __type(name: "Mutation") { fields { name description } } }');
  const remove = body.data.type.fields.find(({ name }: { name: string }) => name === 'removePackage');
  expect(remove.description).toMatch(/Needs: `remove`\.$/);
});
