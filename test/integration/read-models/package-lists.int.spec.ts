import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PackageView } from '../../../src/modules/packages/contracts/package-view.js';
import {
  PackageCountHandler,
  PackageCountQuery,
  type PackageFilter,
  type PackageOrder,
  PackagesHandler,
  PackagesQuery,
} from '../../../src/modules/packages/read-model/package-list.query.js';
import { encodeCursor, type Page } from '../../../src/platform/graphql/paging.js';
import { publication, ReadSide, recorded } from '../../support/read-side.js';

let side: ReadSide;
beforeAll(async () => {
  side = await ReadSide.open();
});
afterAll(() => side.close());
beforeEach(() => side.dataSource.query('TRUNCATE packages, serving_stage'));

const BY_NAME: PackageOrder = { field: 'FILENAME', direction: 'ASC' };
const KEYS = { FILENAME: 'filename', PUBLISHED_AT: 'publishedAt', SIZE: 'size' } as const;
const keyOf = (order: PackageOrder, node: PackageView) => node[KEYS[order.field]];
const names = (page: Page<PackageView>): string[] => page.edges.map(({ node }) => node.filename);

const list = (order = BY_NAME, first = 25, after: string | null = null, filter: PackageFilter = {}) =>
  new PackagesHandler(side.dataSource).execute(new PackagesQuery(filter, order, first, after));

const publish = (...filenames: string[]) =>
  side.apply(
    ...filenames.map((name, time) => recorded('PackagePublished', publication(name, { time, size: name.length }))),
  );

describe('a page of packages', () => {
  it('goes on after the last row, whatever is inserted or removed before it', async () => {
    await publish('b', 'd', 'f', 'h');
    const first = await list(BY_NAME, 2);
    expect(names(first)).toEqual(['b', 'd']);
    expect(first.pageInfo.hasNextPage).toBe(true);
    await publish('a', 'c', 'e');
    const second = await list(BY_NAME, 2, first.pageInfo.endCursor);
    expect(names(second)).toEqual(['e', 'f']);
    const last = await list(BY_NAME, 2, second.pageInfo.endCursor);
    expect(names(last)).toEqual(['h']);
    expect(last.pageInfo.hasNextPage).toBe(false);
  });

  it.each<[PackageOrder]>([
    [{ field: 'FILENAME', direction: 'DESC' }],
    [{ field: 'PUBLISHED_AT', direction: 'ASC' }],
    [{ field: 'PUBLISHED_AT', direction: 'DESC' }],
    [{ field: 'SIZE', direction: 'ASC' }],
    [{ field: 'SIZE', direction: 'DESC' }],
  ])('comes in the order %o, each row once', async (order) => {
    await publish('a', 'bbb', 'cc', 'dd', 'ee', 'f');
    const all: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const page: Page<PackageView> = await list(order, 1, after);
      all.push(...names(page));
      after = page.pageInfo.endCursor;
      more = page.pageInfo.hasNextPage;
    }
    expect(all).toEqual(names(await list(order)));
    expect([...all].sort()).toEqual(['a', 'bbb', 'cc', 'dd', 'ee', 'f']);
    const keys = (await list(order)).edges.map(({ node }) => keyOf(order, node));
    const rising = order.direction === 'ASC' ? keys : [...keys].reverse();
    expect(rising).toEqual([...rising].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('is found by index, not by counting rows away', async () => {
    const rows: { 'QUERY PLAN': string }[] = await side.dataSource.query(
      `EXPLAIN SELECT * FROM packages WHERE (filename, id) > ('m', '00000000-0000-0000-0000-000000000000')
       ORDER BY filename, id LIMIT 26`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join()).toContain('packages_by_filename');
  });

  it.each([[0], [101], [-1]])('has from 1 to 100 rows, not %d', async (first) => {
    await expect(list(BY_NAME, first)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  const id = publication('x').packageId;
  it.each([
    ['garbage', 'not a cursor'],
    ['nothing', ''],
    ['JSON of another shape', encodeCursor({ order: 'FILENAME_ASC' })],
    ['one of another order', encodeCursor({ order: 'SIZE_ASC', key: 1, id })],
    ['a key of another type', encodeCursor({ order: 'FILENAME_ASC', key: 1, id })],
    ['a key that the database refuses', encodeCursor({ order: 'FILENAME_ASC', key: 'a\0b', id })],
    ['an id that is none', encodeCursor({ order: 'FILENAME_ASC', key: 'a', id: "'; --" })],
    ['a very long one', encodeCursor({ order: 'FILENAME_ASC', key: 'a'.repeat(5_000), id })],
  ])('refuses a cursor that is %s', async (_, cursor) => {
    await expect(list(BY_NAME, 2, cursor)).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('refuses a date that is none', async () => {
    const cursor = encodeCursor({ order: 'PUBLISHED_AT_ASC', key: 'yesterday', id });
    await expect(list({ field: 'PUBLISHED_AT', direction: 'ASC' }, 2, cursor)).rejects.toMatchObject({
      code: 'INVALID_CURSOR',
    });
  });
});

describe('a filter', () => {
  it('looks for text in the filename in any case, as plain text', async () => {
    await publish('Editor 100%.pkg', 'editor_2.pkg', 'Ärger.pkg', 'other.dmg');
    expect(names(await list(BY_NAME, 25, null, { filename: 'EDITOR' }))).toEqual(['Editor 100%.pkg', 'editor_2.pkg']);
    expect(names(await list(BY_NAME, 25, null, { filename: '%' }))).toEqual(['Editor 100%.pkg']);
    expect(names(await list(BY_NAME, 25, null, { filename: 'A\u0308rger' }))).toEqual(['Ärger.pkg']);
  });

  it('knows the letters of all languages, whatever the locale of the database is', async () => {
    await publish('ÄRGER.pkg', 'Straße.pkg', 'Пакет.pkg', 'Σίσυφος.pkg');
    for (const [text, name] of [
      ['ärger', 'ÄRGER.pkg'],
      ['a\u0308RGER', 'ÄRGER.pkg'],
      ['STRASSE', 'Straße.pkg'],
      ['ПАКЕТ', 'Пакет.pkg'],
      ['ΣΊΣΥΦΟΣ', 'Σίσυφος.pkg'],
    ] as const)
      expect(names(await list(BY_NAME, 25, null, { filename: text }))).toEqual([name]);
  });

  it('leaves out removed packages unless they are asked for', async () => {
    await publish('a', 'b');
    const { packageId, stageStamp } = publication('b', { time: 9 });
    await side.apply(
      recorded('PackageRemoved', { packageId, filename: 'b', stamp: stageStamp, source: { kind: 'local' } }),
    );
    expect(names(await list())).toEqual(['a']);
    expect(names(await list(BY_NAME, 25, null, { states: ['REMOVED'] }))).toEqual(['b']);
    const count = (filter: PackageFilter) =>
      new PackageCountHandler(side.dataSource).execute(new PackageCountQuery(filter));
    expect(await count({})).toBe(1);
    expect(await count({ states: ['REMOVED', 'AVAILABLE'], stages: ['Prod'] })).toBe(2);
    expect(await count({ stages: ['Dev'] })).toBe(0);
  });
});
