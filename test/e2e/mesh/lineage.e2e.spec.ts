import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { ServerMesh } from '../../support/server-mesh.js';
import { waitFor } from '../../support/wait-for.js';

let mesh: ServerMesh;
beforeAll(async () => (mesh = await ServerMesh.start(['a', 'b', 'c'], ['a-b', 'b-c'])));
afterAll(() => mesh.dispose());

const Named = z.object({ id: z.string(), name: z.string() });
const Steps = z.array(z.object({ server: Named, verifiedAt: z.coerce.date().nullable() }));
const Found = z.object({
  package: z.object({
    uploadedBy: z.string(),
    origin: Named,
    lineage: Steps,
    replicas: z.array(z.object({ server: Named, lineage: Steps })),
  }),
});
const QUERY = `query ($id: ID!) { package(id: $id) { uploadedBy origin { id name } lineage { server { id name } verifiedAt }
  replicas { server { id name } lineage { server { id name } verifiedAt } } } }`;

const namesOf = (steps: z.output<typeof Steps>): string[] => steps.map(({ server }) => server.name);

it('tells for a package at the end of a chain where it was uploaded, by whom, and through whom it came when', async () => {
  const before = new Date();
  const { id } = z
    .object({ id: z.string() })
    .parse(await (await mesh.server('a').put('far.pkg', randomBytes(3_000_000))).json());
  await waitFor('the copy on c', async () => (await mesh.server('c').download('far.pkg')).ok);
  const onC = await waitFor('all times on c', async () => {
    const { package: known } = await mesh.ask('c', QUERY, Found, { id });
    return known.lineage.length > 0 && known.lineage.every(({ verifiedAt }) => verifiedAt !== null) && known;
  });
  expect(onC).toMatchObject({ uploadedBy: 'admin', origin: { name: 'a' } });
  expect(namesOf(onC.lineage)).toEqual(['a', 'b', 'c']);
  const times = onC.lineage.map(({ verifiedAt }) => verifiedAt ?? before);
  expect(times).toEqual(times.toSorted((x, y) => x.getTime() - y.getTime()));
  expect(times[0]?.getTime()).toBeGreaterThanOrEqual(before.getTime());
  expect(onC.replicas.map(({ server, lineage }) => [server.name, namesOf(lineage)])).toEqual([
    ['c', ['a', 'b', 'c']],
    ['b', ['a', 'b']],
  ]);

  const onA = (await mesh.ask('a', QUERY, Found, { id })).package;
  expect(namesOf(onA.lineage)).toEqual(['a']);
  expect(await mesh.trail('c', ['PackagePublished'], id)).toMatchObject([
    { summary: expect.stringContaining('publication on a by admin') },
  ]);
});
