import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandsIn, runShell } from '../../support/documented-commands.js';
import { startPackageApp, type PackageApp } from '../../support/package-app.js';
import { has } from '../../support/programs.js';
import { waitFor } from '../../support/wait-for.js';

const PAGE = 'docs/how-to/serve-endpoints.md';
const BY_ADDRESS = ['curl -fO -C - "$ODS/packages', 'wget -c'];
const FIRST_TRY = '--etag-save';
const CONTINUE_BY_NAME = 'If-Range';
const CHECK = 'sha256sum --check';

const [first, second] = [randomBytes(3_000_000), randomBytes(3_500_000)];

let app: PackageApp;
let folder = '';
let file = '';
let id = '';

/** Publishes a content under the name, and returns its id. */
async function publish(content: Buffer): Promise<string> {
  const reply = await fetch(`${app.url}/api/packages/Foo.pkg`, { method: 'PUT', body: new Uint8Array(content) });
  return String(Object(await reply.json()).id);
}

/** Runs a command of the page as it stands there. */
const run = (text: string) => runShell(commandsIn(PAGE, text), { ODS: app.url, ID: id, HOME: folder }, folder);
const etagOf = (content: Buffer): string => `"${createHash('sha256').update(content).digest('hex')}"`;

beforeEach(async () => {
  app = await startPackageApp();
  folder = await mkdtemp(join(tmpdir(), 'ods-downloads-'));
  file = join(folder, 'Foo.pkg');
  id = await publish(first);
});
afterEach(async () => {
  await app.stop();
  await rm(folder, { recursive: true });
});

describe('a broken download', () => {
  it.each(BY_ADDRESS.filter((text) => has(text.split(' ', 1)[0] ?? '', '--version')))(
    'is continued by the address of its content, also when the name has another one by then: %s',
    async (text) => {
      await writeFile(file, first.subarray(0, 1_000_000));
      await publish(second);
      expect((await run(text)).code).toBe(0);
      expect((await readFile(file)).equals(first)).toBe(true);
      // A file that is complete stays as it is.
      expect([0, 22]).toContain((await run(text)).code);
      expect((await readFile(file)).equals(first)).toBe(true);
    },
  );

  it('is continued by its name while the name has the same content', async () => {
    await writeFile(file, first.subarray(0, 1_000_000));
    await writeFile(`${file}.etag`, `${etagOf(first)}\n`);
    expect((await run(CHECK)).code).toBe(1);
    expect((await run(CONTINUE_BY_NAME)).code).toBe(0);
    expect((await readFile(file)).equals(first)).toBe(true);
    expect((await run(CHECK)).code).toBe(0);
    expect([0, 22]).toContain((await run(CONTINUE_BY_NAME)).code);
    expect((await readFile(file)).equals(first)).toBe(true);
  });

  it('is not continued by its name when the name has another content, and says so', async () => {
    const begun = first.subarray(0, 1_000_000);
    await writeFile(file, begun);
    await writeFile(`${file}.etag`, `${etagOf(first)}\n`);
    await publish(second);
    expect((await run(CONTINUE_BY_NAME)).code).toBe(33);
    expect((await readFile(file)).equals(begun)).toBe(true);
    await rm(file);
    expect((await run(FIRST_TRY)).code).toBe(0);
    expect((await readFile(file)).equals(second)).toBe(true);
    expect((await run(CHECK)).code).toBe(0);
  });

  it('has its ETag from the first try, which was cut off', async () => {
    const large = randomBytes(64 * 1024 * 1024);
    id = await publish(large);
    const slowly = commandsIn(PAGE, FIRST_TRY).replace('curl', 'curl --limit-rate 4M');
    const cutOff = runShell(slowly, { ODS: app.url, HOME: folder }, folder);
    await waitFor('the first bytes', async () => (await stat(file)).size > 0);
    app.server.closeAllConnections();
    expect((await cutOff).code).not.toBe(0);
    expect((await readFile(`${file}.etag`, 'utf8')).trim()).toBe(etagOf(large));
    const { size } = await stat(file);
    expect(size).toBeLessThan(large.length);
    expect((await run(CONTINUE_BY_NAME)).code).toBe(0);
    expect((await run(CHECK)).code).toBe(0);
  });
});
