import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { environment, SECRETS, type VariableName } from '../../src/server/config/environment.js';
import { CASES } from '../support/documented-cases.js';
import { commandBlocks, commandsInSentences, namedScripts } from '../support/documented-commands.js';

/** The settings in a line of a block, such as `export NAME=value NAME=value   # words`. */
const settingsIn = (line: string): [string, string][] => {
  const text = line.replace(/\s+#.*$/, '').replace(/^export /, '');
  // A value with blanks is the only one in its line.
  const parts = text.match(/=/g)?.length === 1 || text.startsWith('LDAP_') ? [text] : text.split(' ');
  return parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]);
};

const isName = (name: string): name is VariableName => name in environment;

const lists = commandBlocks('sh').flatMap(({ document, commands }) =>
  commands
    .split('\n')
    .filter((line) =>
      /^(?:export )?(?:(?:ODST|LDAP)_[A-Z_]+|PORT|\w+_PROXY|NO_PROXY|DATABASE_URL)=(?!\S*…)\S/.test(line),
    )
    .flatMap((line) => settingsIn(line).map(([name, value]) => ({ document, name, value }))),
);

describe('a setting in the documentation', () => {
  it('is one of many', () => expect(lists.length).toBeGreaterThan(20));

  it.each(lists.filter(({ value }) => !value.includes('$(')))('is accepted: $name in $document', ({ name, value }) => {
    const base = name.replace(/_FILE$/, '');
    const isAccepted = isName(name)
      ? environment[name].check.safeParse(value).success
      : SECRETS.some((secret) => secret === base);
    expect(isAccepted).toBe(true);
  });
});

describe('a block of commands in the documentation', () => {
  const blocks = [...commandBlocks('sh', 'graphql'), ...commandsInSentences()];
  const fitting = ({ document, commands }: (typeof blocks)[number]) =>
    (CASES[document] ?? []).filter(({ has }) => commands.includes(has));

  it('is run by a test, or it is said why not', () => {
    expect(blocks.length).toBeGreaterThan(60);
    // Add a case to test/support/documented-cases.ts for each of these blocks.
    const others = blocks.filter((block) => fitting(block).length !== 1);
    expect(others.map((block) => [block, fitting(block).map(({ has }) => has)])).toEqual([]);
  });

  it('calls only scripts that there are', () => {
    const scripts = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync('package.json', 'utf8')));
    expect(namedScripts().length).toBeGreaterThan(20);
    expect(namedScripts().filter((name) => !(name in scripts.scripts))).toEqual([]);
  });

  it('is there for each case', () => {
    const used = new Set(blocks.flatMap(fitting));
    const all = Object.values(CASES).flat();
    expect(all.filter((one) => !used.has(one))).toEqual([]);
  });
});
