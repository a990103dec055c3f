import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, expect, it } from 'vitest';
import { runningSettings } from '../../src/adapters/database/embedded/embedded-database.js';
import { findFreePort } from '../../src/cli/demo/server-process.js';
import { ServerUnderTest } from '../support/server-under-test.js';
import { tlsFile } from '../support/tls/certificates.js';
import { waitFor } from '../support/wait-for.js';

let server: ServerUnderTest;
afterEach(() => server.dispose());

/** The program's last words: exactly one line that is not log output. */
function lastWords(output: string): string[] {
  return output
    .trim()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'));
}

it.each([
  [{ PORT: 'eighty' }, /PORT must be a port number/],
  [{ ODST_STAGE: 'Production' }, /ODST_STAGE must be Dev, Test or Prod/],
  [{ ODST_URL: 'ftp://x' }, /ODST_URL must be/],
  [{ ODST_STAEG: 'Dev' }, /ODST_STAEG is not a setting/],
  [{ DATABASE_URL: 'mysql://x' }, /DATABASE_URL must be/],
  [{ ODST_TLS_CERT_FILE: tlsFile('first.crt') }, /ODST_TLS_CERT_FILE is set and ODST_TLS_KEY_FILE is not/],
  [
    { ODST_TLS_CERT_FILE: tlsFile('first.crt'), ODST_TLS_KEY_FILE: '/nowhere.key' },
    /ODST_TLS_KEY_FILE names a file that cannot be read/,
  ],
  [
    { ODST_TLS_CERT_FILE: tlsFile('first.crt'), ODST_TLS_KEY_FILE: tlsFile('second.key') },
    /is not the one of the certificate/,
  ],
])('a bad environment %o ends with one line and exit code 1', async (env, line) => {
  server = new ServerUnderTest('misconfigured', env);
  const { code, output } = await server.runToEnd();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringMatching(line)]);
});

it('a data folder that cannot be one ends with one line and exit code 1', async () => {
  server = new ServerUnderTest('no-folder');
  const file = join(server.dataDir, 'file');
  writeFileSync(file, '');
  const broken = new ServerUnderTest('no-folder', { ODST_DATA_DIR: join(file, 'data') });
  const { code, output } = await broken.runToEnd();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringContaining(file)]);
  await broken.dispose();
});

it('a folder of packages that is none ends with one line and exit code 1', async () => {
  server = new ServerUnderTest('no-packages');
  const packages = join(server.dataDir, 'packages');
  writeFileSync(packages, '');
  const { code, output } = await server.runToEnd();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringContaining(`${packages} cannot be used`)]);
});

it('a port in use ends with one line and exit code 1', async () => {
  const other = createServer().listen(0);
  await once(other, 'listening');
  const address = other.address();
  server = new ServerUnderTest('late');
  server.port = address !== null && typeof address === 'object' ? address.port : 0;
  const { code, output } = await server.runToEnd();
  other.close();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringMatching(/port \d+ is in use/i)]);
});

it('a port that is taken while the server starts ends with one line, and nothing goes on', async () => {
  server = new ServerUnderTest('overtaken');
  server.port = await findFreePort(0);
  const ending = server.runToEnd();
  const database = await waitFor('the database', () => runningSettings(server.dataDir));
  const other = createServer().listen(server.port);
  await once(other, 'listening');
  const { code, output } = await ending;
  other.close();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringMatching(/port \d+ is in use/i)]);
  await expect(new Client(database).connect()).rejects.toThrow('ECONNREFUSED');
});

it('a second server on the same data is refused while the first goes on', async () => {
  server = await new ServerUnderTest('first').start();
  const { url, dataDir } = server;
  expect(server.output).toContain(
    `This server is new. Its address is ${url}, and its data folder is ${dataDir}. Next,`,
  );
  const second = new ServerUnderTest('second', { ODST_DATA_DIR: server.dataDir });
  const { code, output } = await second.runToEnd();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringMatching(/another server/i)]);
  expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
  await second.dispose();
});

it.each([
  [['--help'], 0, /^Starts one server/],
  [['-h'], 0, /^Starts one server/],
  [['--port', '9000'], 2, /^The argument --port is unknown\./],
])('with the arguments %j it explains itself and starts nothing', async (args, exitCode, words) => {
  server = new ServerUnderTest('asked');
  const { code, output } = await server.runToEnd(args);
  expect(code).toBe(exitCode);
  expect(output).toMatch(words);
  expect(output).toContain('docs/reference/configuration.md');
});
