import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderPermissionsPage } from '../../src/cli/reference/permissions-page.js';
import { renderConfigurationPage, renderErrorsPage } from '../../src/cli/reference/reference-pages.js';
import { REPLICA_PROBLEMS } from '../../src/modules/replication/contracts/replica-view.js';
import { GRAPHQL_REQUEST_CODES } from '../../src/platform/graphql/graphql-errors.js';
import { allErrorCodes } from '../../src/platform/http/errors/error-codes.js';

it.each([
  ['docs/reference/errors.md', renderErrorsPage],
  ['docs/reference/configuration.md', renderConfigurationPage],
  ['docs/reference/permissions.md', renderPermissionsPage],
])('%s is what the source says; `npm run reference` writes it', async (file, page) => {
  expect(readFileSync(file, 'utf8')).toBe(await page());
});

/** Codes in the places where the source gives them out. */
const GIVEN = /(?:new (?:Peer\w*)?Refusal\(|\bcode: )'([A-Z][A-Z_]+)'/g;

function codesIn(folder: string): Set<string> {
  const files = readdirSync(folder, { recursive: true }).map((file) => join(folder, String(file)));
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'));
  return new Set(
    sources.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(GIVEN)].map(([, code]) => code ?? '')),
  );
}

it('every code that the source gives out has a meaning', () => {
  const known = new Set([
    ...allErrorCodes().keys(),
    ...[GRAPHQL_REQUEST_CODES, REPLICA_PROBLEMS].flatMap((codes) => Object.keys(codes)),
  ]);
  const given = codesIn('src');
  expect(given.size).toBeGreaterThan(30);
  expect([...given].filter((code) => !known.has(code))).toEqual([]);
});
