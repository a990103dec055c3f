import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const DOCUMENTS = [
  'CONTRIBUTING.md',
  ...readdirSync('docs/architecture')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/architecture/${name}`),
];

/** Paths from the root of the repository; `<name>` and `*` stand for any text, `{a,b}` for either. */
const PATH = /(?<![\w./-])(?:src|test|migrations|scripts|docs|docker)\/[\w.,*<>{}/-]*/g;
/** Targets of links, relative to the document. */
const LINK = /\]\((?!https?:|#)([^)#\s]+)/g;

/** All alternatives of a path with braces. */
function expandBraces(path: string): readonly string[] {
  const found = /^(.*?)\{([^}]*)\}(.*)$/.exec(path);
  if (!found) return [path];
  const [, before = '', alternatives = '', after = ''] = found;
  return alternatives.split(',').flatMap((one) => expandBraces(`${before}${one}${after}`));
}

function matchSegment(segment: string): RegExp {
  const escaped = segment.replaceAll(/[.+]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll(/<[^>]*>|\*+/g, '.+')}$`);
}

/** Whether at least one file or folder of the repository has this path. */
function pathExists(path: string): boolean {
  let folders = ['.'];
  for (const segment of path.split('/').filter((part) => part !== '')) {
    const pattern = matchSegment(segment);
    folders = folders
      .filter((folder) => statSync(folder).isDirectory())
      .flatMap((folder) =>
        readdirSync(folder)
          .filter((name) => pattern.test(name))
          .map((name) => join(folder, name)),
      );
  }
  return folders.length > 0;
}

describe.each(DOCUMENTS)('%s', (document) => {
  const text = readFileSync(document, 'utf8');

  it('names only paths that exist', () => {
    const paths = [...text.matchAll(PATH)].map(([path]) => path.replace(/[.,]+$/, ''));
    expect(paths.flatMap(expandBraces).filter((path) => !pathExists(path))).toEqual([]);
  });

  it('links only to files that exist', () => {
    const targets = [...text.matchAll(LINK)].map(([, target = '']) => join(document, '..', target));
    expect(targets.filter((target) => !pathExists(target))).toEqual([]);
  });
});

it('a path that does not exist is noticed', () => {
  expect(pathExists('src/kernel/errors.ts')).toBe(true);
  expect(pathExists('src/modules/<module>/contracts')).toBe(true);
  expect(pathExists('src/kernel/no-such-file.ts')).toBe(false);
  expect(expandBraces('test/{contract,e2e}/')).toEqual(['test/contract/', 'test/e2e/']);
});
