import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandsIn, runShell } from '../../support/documented-commands.js';
import { factsIn, startPackageApp, type PackageApp } from '../../support/package-app.js';

const NAMES = [
  'plain.pkg',
  'with blanks  in it.pkg',
  'Foo#1.pkg',
  'what?.pkg',
  '100%.pkg',
  'a%20b.pkg',
  'C++ & Co.pkg',
  `it's "quoted".pkg`,
  '$HOME `x`.pkg',
  'Über Äpfel.pkg',
  'Über NFD.pkg'.normalize('NFD'),
  'smile 🙂.pkg',
  '[1-3]{a,b}.pkg',
  '-T.pkg',
];

describe('the documented commands for uploads', () => {
  let app: PackageApp;
  let home = '';
  let env: Record<string, string> = {};

  beforeAll(async () => {
    app = await startPackageApp();
    home = await mkdtemp(join(tmpdir(), 'ods-home-'));
    const cache = join(home, 'Library/AutoPkg/Cache/recipe');
    await mkdir(join(cache, 'folder.pkg'), { recursive: true });
    await writeFile(join(home, '.odst-token'), 'odst_token');
    for (const name of NAMES) await writeFile(join(cache, name), `content of ${name}`);
    env = { HOME: home, ODS: app.url, ODST_TOKEN: 'odst_token' };
  });
  afterAll(async () => {
    await app.stop();
    await rm(home, { recursive: true });
  });

  const filenames = () =>
    factsIn(app.store)
      .map(({ filename }) => filename)
      .toSorted();

  it('of AutoPkg publish files with every name that is allowed, leave out folders, and say what was there', async () => {
    const commands = commandsIn('docs/how-to/api-tokens.md', 'AutoPkg/Cache');
    const first = await runShell(commands, env);
    expect(first.output.match(/^uploaded: /gm)).toHaveLength(NAMES.length);
    expect(first.output).toMatch(/left out, not a file: .*folder\.pkg/);
    expect(first.code).toBe(0);
    expect(filenames()).toEqual(NAMES.map((name) => name.normalize('NFC')).toSorted());
    const second = await runShell(commands, env);
    expect(second.output.match(/^already there: /gm)).toHaveLength(NAMES.length);
    expect(second.code).toBe(0);
  });

  it('of AutoPkg go on after a failure, and end with 1', async () => {
    const bad = join(home, 'Library/AutoPkg/Cache/recipe/CON.pkg');
    await writeFile(bad, 'a name that no package can have');
    const { code, output } = await runShell(commandsIn('docs/how-to/api-tokens.md', 'AutoPkg/Cache'), env);
    await rm(bad);
    expect(output).toMatch(/failed with 400: .*CON\.pkg/);
    expect(output.match(/^already there: /gm)).toHaveLength(NAMES.length);
    expect(code).toBe(1);
  });

  it.each(NAMES)('with a form of curl publish %s under its name', async (name) => {
    const file = join(home, 'form', name);
    await mkdir(join(home, 'form'), { recursive: true });
    await writeFile(file, `form ${name}`);
    const quoted = file.replaceAll(/[\\"]/g, String.raw`\$&`);
    const commands = 'curl --silent --fail-with-body -F "file=@\\"$QUOTED\\"" "$ODS/api/packages"';
    const { code, output } = await runShell(commands, { ...env, QUOTED: quoted });
    expect([code, Object(JSON.parse(output)).filename]).toEqual([0, name.normalize('NFC')]);
  });

  it.each(NAMES)('of a pipeline publish %s, and find it afterwards', async (name) => {
    const file = join(home, 'pipeline', name);
    await mkdir(join(home, 'pipeline'), { recursive: true });
    await writeFile(file, `pipeline ${name}`);
    const withFile = { ...env, FILE: file };
    const ask = commandsIn('docs/how-to/upload-packages.md', '--head');
    expect((await runShell(ask, withFile)).code).toBe(22);
    const upload = commandsIn('docs/how-to/upload-packages.md', 'set -eu');
    const { code, output } = await runShell(upload, withFile);
    expect(code).toBe(0);
    const sha256 = createHash('sha256').update(`pipeline ${name}`).digest('hex');
    expect(output).toContain(sha256);
    expect(factsIn(app.store).find((facts) => facts.sha256 === sha256)?.filename).toBe(name.normalize('NFC'));
    expect((await runShell(ask, withFile)).code).toBe(0);
  });
});
