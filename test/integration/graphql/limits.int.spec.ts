import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../support/wait-for.js';
import { codes, GraphqlApp, TOKEN } from '../../support/graphql-app.js';

let app: GraphqlApp;
beforeAll(async () => {
  app = await GraphqlApp.start();
});
afterAll(() => app.stop());

describe('names of the schema', () => {
  const mistake = '{ peers { nme } }';

  it('are hinted at to who is signed in, not to strangers', async () => {
    expect((await app.query(mistake)).text).toContain('Did you mean');
    const answer = await app.post({ query: 'mutation { signIn(usernme: "a", password: "b") { tokn } }' }, {});
    expect(codes(answer)).toContain('GRAPHQL_VALIDATION_FAILED');
    expect(answer.text).not.toContain('Did you mean');
  });

  it('are told to nobody when that is switched off', async () => {
    const silent = await GraphqlApp.start({ introspection: false });
    try {
      for (const query of [
        '{ __schema { types { name } } }',
        '{ __type(name: "Peer") { name } }',
        'query { ...F } fragment F on Query { __schema { types { name } } }',
      ]) {
        expect(codes(await silent.query(query))).toEqual(['INTROSPECTION_DISABLED']);
      }
      const wrong = await silent.query(mistake);
      expect(codes(wrong)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
      expect(wrong.text).not.toContain('Did you mean');
      expect((await silent.query('{ __typename }')).body).toEqual({ data: { __typename: 'Query' } });
    } finally {
      await silent.stop();
    }
  });
});

it('who signs in over and over again is told to wait', async () => {
  const many = await GraphqlApp.start();
  const attempt = () => many.post({ query: 'mutation { signIn(username: "a", password: "right") { token } }' }, {});
  try {
    const refused = await waitFor('a refusal', async () => {
      const answer = await attempt();
      return codes(answer) && answer;
    });
    expect(codes(refused)).toEqual(['TOO_MANY_REQUESTS']);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
  } finally {
    await many.stop();
  }
});

it('an account that sends very many operations is told to wait', async () => {
  const many = await GraphqlApp.start();
  try {
    const refused = await waitFor('a refusal', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => many.query('{ __typename }')));
      return answers.find(({ status }) => status === 429);
    });
    expect(refused.body.errors).toMatchObject([
      { extensions: { code: 'TOO_MANY_REQUESTS', details: { retryAfterSeconds: 1 } } },
    ]);
    expect(refused.headers.get('retry-after')).toBe('1');
  } finally {
    await many.stop();
  }
});

it('invalid tokens are refused after a while, valid ones are not', async () => {
  const many = await GraphqlApp.start();
  try {
    await many.query('{ __typename }');
    const refused = await waitFor('a refusal', async () => {
      const answer = await many.post({ query: '{ __typename }' }, { authorization: 'Bearer wrong' });
      return answer.status === 429 && answer;
    });
    expect(codes(refused)).toEqual(['TOO_MANY_REQUESTS']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await many.query('{ __typename }')).status).toBe(200);
  } finally {
    await many.stop();
  }
});

describe('limits', () => {
  const deep = (levels: number): string =>
    `{ packages { edges { node { ${'replicas { package { '.repeat(levels)} id ${'} } '.repeat(levels)} } } } }`;

  it('refuse what is nested too deep, also through fragments', async () => {
    expect((await app.query(deep(2))).body.errors).toBeUndefined();
    expect(codes(await app.query(deep(4)))).toEqual(['QUERY_TOO_DEEP']);
    const fragments = `{ package(id: "x") { ...A } }
      fragment A on Package { replicas { package { replicas { package { ...B } } } } }
      fragment B on Package { replicas { package { replicas { package { replicas { local } } } } } }`;
    expect(codes(await app.query(fragments))).toEqual(['QUERY_TOO_DEEP']);
  });

  it('survive fragments that go round in circles or multiply', async () => {
    const circle = '{ peers { ...A } } fragment A on Peer { id ...B } fragment B on Peer { name ...A }';
    expect(codes(await app.query(circle))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    const names = Array.from({ length: 25 }, (_, i) => i);
    const bomb = `{ peers { ...F0 } } ${names.map((i) => `fragment F${i} on Peer { ...F${i + 1} ...F${i + 1} }`).join(' ')}
      fragment F25 on Peer { id }`;
    const started = Date.now();
    const answer = await app.query(bomb);
    expect(answer.status).toBe(400);
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it('refuse what would cost too much, by rows and by aliases', async () => {
    const wide =
      '{ packages(first: 100) { edges { node { chunks(first: 100) { edges { node { sha1 sha256 } } } } } } }';
    expect(codes(await app.query(wide))).toEqual(['QUERY_TOO_EXPENSIVE']);
    const aliases = Array.from(
      { length: 19 },
      (_, i) =>
        `a${i}: packages(first: 100) { edges { node { id size stage state filename sha1 sha256 chunkCount downloadPath } } }`,
    );
    expect(codes(await app.query(`{ ${aliases.join(' ')} }`))).toEqual(['QUERY_TOO_EXPENSIVE']);
    const byVariable =
      'query($n: Int!) { packages(first: $n) { edges { node { chunks(first: $n) { edges { node { sha1 } } } } } } }';
    expect(codes(await app.query(byVariable, { n: 100 }))).toEqual(['QUERY_TOO_EXPENSIVE']);
    expect(codes(await app.query(byVariable, { n: -100_000 }))).toEqual(['INVALID_REQUEST']);
  });

  it('refuse very long operations while they are parsed', async () => {
    const answer = await app.query(`{ ${'a '.repeat(3_000)} }`);
    expect(answer.status).toBe(400);
    expect(codes(answer)).toEqual(['GRAPHQL_PARSE_FAILED']);
  });

  it.each([
    ['root fields', `{ ${Array.from({ length: 21 }, (_, i) => `a${i}: __typename`).join(' ')} }`],
    ['aliases', `{ package(id: "x") { ${Array.from({ length: 101 }, (_, i) => `a${i}: id`).join(' ')} } }`],
    [
      'aliases in fragments',
      `{ ${'peers { ...F } package(id: "x") { id } '.repeat(1)} } fragment F on Peer { ${Array.from({ length: 101 }, (_, i) => `a${i}: id`).join(' ')} }`,
    ],
    ['directives', `{ peers { ${'id @include(if: true) '.repeat(21)} } }`],
    ['directives on fragments', `{ peers { ${'... @include(if: true) { id } '.repeat(21)} } }`],
  ])('refuse very many %s', async (_, query) => {
    const answer = await app.query(query);
    expect(codes(answer)).toContain('QUERY_TOO_WIDE');
    expect(answer.status).toBe(400);
  });

  it.each([
    ['root fields', `{ ${'a{b}'.repeat(300)} }`],
    ['fields', `{ peers { ${'nonsense '.repeat(600)} } }`],
    ['fields of a fragment that is not used', `{ peers { id } } fragment F on Peer { ${'nonsense '.repeat(600)} }`],
    ['operations', Array.from({ length: 21 }, (_, i) => `query q${i} { nonsense }`).join(' ')],
  ])('refuse very many %s before anything else is checked', async (_, query) => {
    const answer = await app.query(query);
    expect(codes(answer)).toEqual(['QUERY_TOO_WIDE']);
    expect(answer.status).toBe(400);
    const get = await fetch(`${app.url}?query=${encodeURIComponent(query)}`, {
      headers: { authorization: `Bearer ${TOKEN}`, 'apollo-require-preflight': 'yes' },
    });
    expect(await get.json()).toMatchObject({ errors: [{ extensions: { code: 'QUERY_TOO_WIDE' } }] });
  });

  it('count what a fragment has as often as it is used', async () => {
    const fields = Array.from({ length: 30 }, (_, i) => `a${i}: id`).join(' ');
    const uses = (times: number): string => `{ peers { ${'...F '.repeat(times)} } } fragment F on Peer { ${fields} }`;
    expect((await app.query(uses(3))).body.errors).toBeUndefined();
    expect(codes(await app.query(uses(4)))).toEqual(['QUERY_TOO_WIDE']);
  });

  it('refuse long operations before they are parsed, of strangers as well', async () => {
    const query = `{ ${'__typename '.repeat(3_000)} }`;
    for (const answer of [await app.query(query), await app.post({ query }, {})]) {
      expect(codes(answer)).toEqual(['QUERY_TOO_LONG']);
      expect(answer.status).toBe(400);
    }
  });

  it('let introspection through that tools send', async () => {
    const { getIntrospectionQuery } = await import('graphql');
    const answer = await app.query(getIntrospectionQuery());
    expect(answer.body.errors).toBeUndefined();
    expect(answer.text).toContain('PackageConnection');
  });
});
