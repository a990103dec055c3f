import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const text = readFileSync('docs/architecture/threat-model.md', 'utf8');
const section = /^## Which test tries which attack$(.*?)^## /ms.exec(text)?.[1] ?? '';

/** The rows of the table: attack, file and title of its test. */
const rows = [...section.matchAll(/^\| (?<attack>[^|]+) \| `(?<file>[^`]+)` \| (?<title>[^|]+) \|$/gm)].map(
  ({ groups }) => ({
    attack: groups?.['attack'] ?? '',
    file: groups?.['file'] ?? '',
    title: groups?.['title'] ?? '',
  }),
);

describe('the threat model', () => {
  it('has a test for each attack that it lists', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
    expect(new Set(rows.map(({ attack }) => attack)).size).toBe(rows.length);
  });

  it.each(rows)('names a test that exists: $title', ({ file, title }) => {
    expect(file).toMatch(/\.spec\.ts$/);
    const source = readFileSync(file, 'utf8');
    // Texts of a table, and titles, stand in quotes.
    expect(source.replaceAll(/'\s*\+\s*'/g, '')).toMatch(new RegExp(`['\`][^'\`\\n]*${escaped(title)}[^'\`\\n]*['\`]`));
  });

  it('lists every file with a hostile peer', () => {
    const files = readdirSync('test/e2e/hostile').map((name) => `test/e2e/hostile/${name}`);
    const listed = new Set(rows.map(({ file }) => file));
    expect(files.filter((file) => !listed.has(file))).toEqual([]);
  });
});

/** The text as a part of a regular expression. */
function escaped(title: string): string {
  return title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
