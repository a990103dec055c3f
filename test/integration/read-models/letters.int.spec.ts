import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditTrailHandler, AuditTrailQuery } from '../../../src/modules/audit/trail/audit-trail.query.js';
import type { AuditFilter } from '../../../src/modules/audit/trail/audit-view.js';
import { PackagesHandler, PackagesQuery } from '../../../src/modules/packages/read-model/package-list.query.js';
import '../../../src/server/app.module.js';
import { publication, ReadSide, recorded } from '../../support/read-side.js';
import { createDatabaseInC, createTestDatabase } from '../../support/test-database.js';

const NAMES = ['ÄRGER.pkg', 'Straße.pkg', 'Пакет.pkg', 'Σίσυφος.pkg', 'İstanbul.pkg', 'plain.pkg'];
const SOUGHT = [
  ['ärger', 'ÄRGER.pkg'],
  ['a\u0308RGER', 'ÄRGER.pkg'],
  ['STRASSE', 'Straße.pkg'],
  ['ПАКЕТ', 'Пакет.pkg'],
  ['пакет.PKG', 'Пакет.pkg'],
  ['ΣΊΣΥΦΟΣ', 'Σίσυφος.pkg'],
  ['i\u0307STANBUL', 'İstanbul.pkg'],
  ['PLAIN', 'plain.pkg'],
] as const;

describe.each([
  { letters: 'ASCII', create: createDatabaseInC, lower: 'Ä' },
  { letters: 'Unicode', create: createTestDatabase, lower: 'ä' },
])('on a database that knows the letters of $letters', ({ create, lower }) => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await ReadSide.open(create);
    await side.apply(...NAMES.map((filename) => recorded('PackagePublished', publication(filename))));
    await side.apply(recorded('SignedIn', { accountId: 'a-1', username: 'Jürgen' }));
  });
  afterAll(() => side.close());

  const found = async (filename: string): Promise<string[]> => {
    const query = new PackagesQuery({ filename }, { field: 'FILENAME', direction: 'ASC' }, 25, null);
    return (await new PackagesHandler(side.dataSource).execute(query)).edges.map(({ node }) => node.filename);
  };
  const audited = async (filter: AuditFilter): Promise<(string | null | undefined)[]> => {
    const page = await new AuditTrailHandler(side.dataSource).execute(new AuditTrailQuery(filter, 25, null));
    return page.edges.map(({ node }) => node.target?.label);
  };

  it('is the test about those letters', async () => {
    expect(await side.dataSource.query(`SELECT lower('Ä') AS lower`)).toEqual([{ lower }]);
  });

  it.each(SOUGHT)('%s finds %s among the packages and in the audit trail', async (text, filename) => {
    expect(await found(text)).toEqual([filename]);
    expect(await audited({ text })).toEqual([filename]);
    expect(await audited({ text, kinds: ['PackagePublished'] })).toEqual([filename]);
  });

  it('a name of a person is found in any case', async () => {
    expect(await audited({ text: 'JÜRGEN' })).toEqual([expect.stringMatching('Jürgen')]);
  });
});
