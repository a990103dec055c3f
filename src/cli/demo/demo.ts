import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../../kernel/errors.js';
import { AdminClient } from './admin-client.js';
import { HELP, parseDemoArguments, type DemoArguments } from './arguments.js';
import {
  downloadDigest,
  openPackageSource,
  registerPeers,
  removeEarlierDemos,
  uploadPackage,
  watchReplication,
} from './demo-steps.js';
import { findFreePort, ServerProcess, type ServerOptions } from './server-process.js';
import { printLine } from '../terminal.js';

/** Exit code after Ctrl-C. */
const EXIT_STOPPED = 130;

const secondsSince = (from: number): number => Math.round(performance.now() - from) / 1000;

/** Kept with the data, since the servers keep the account that was made at their first start. */
function readAdminPassword(dataDir: string): string {
  const file = join(dataDir, 'admin-password');
  mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  if (!existsSync(file)) writeFileSync(file, randomBytes(12).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

/** Tries another port when another program takes the chosen one first. */
async function startServer(
  options: Omit<ServerOptions, 'port'>,
  wanted: number,
  all: ServerProcess[],
): Promise<ServerProcess> {
  const server = new ServerProcess({ ...options, port: await findFreePort(wanted) });
  all.push(server);
  try {
    await server.waitUntilReady();
  } catch (error) {
    if (!server.lostItsPort) throw error;
    return startServer(options, 0, all);
  }
  return server;
}

/** Adds the servers to `all`, so that they are stopped in the end even if only one of them starts. */
function startServers({ dataDir }: DemoArguments, adminPassword: string, all: ServerProcess[]) {
  const start = (name: string, folder: string, port: number) =>
    startServer({ name, dataDir: join(dataDir, folder), adminPassword }, port, all);
  return Promise.all([start('Server A', 'server-a', 8081), start('Server B', 'server-b', 8082)]);
}

async function replicatePackage(
  args: DemoArguments,
  [first, second]: [ServerProcess, ServerProcess],
  password: string,
) {
  const [a, b] = await Promise.all([first, second].map(({ url }) => AdminClient.signIn(url, 'admin', password)));
  if (!a || !b) throw new Error('unreachable');
  await registerPeers(b, a);
  await removeEarlierDemos(a);
  const source = openPackageSource(args);
  const uploadStart = performance.now();
  const { id: _id, stage: _stage, ...uploaded } = await uploadPackage(a, args.filename, source);
  const uploadSeconds = secondsSince(uploadStart);
  const replicateStart = performance.now();
  await watchReplication(b, _id);
  const replicateSeconds = secondsSince(replicateStart);
  const copy = await downloadDigest(second.url, uploaded.filename);
  return {
    verified: copy === uploaded.sha256 && copy === source.hash.digest('hex'),
    package: uploaded,
    seconds: { upload: uploadSeconds, replicate: replicateSeconds },
    servers: [first, second].map(({ url, options }) => ({ name: options.name, url })),
  };
}

function printServers(servers: readonly ServerProcess[], verified: boolean): void {
  printLine('');
  for (const { url, options } of servers)
    printLine(`${options.name}: ${url}  (GraphQL: ${url}/graphql, log: ${options.dataDir}/server.log)`);
  printLine(verified ? 'The copy on Server B has the same SHA-256.' : 'THE COPY ON SERVER B IS NOT THE SAME.');
}

/** Says what can be done with the servers while they run. */
function printNextSteps(servers: readonly ServerProcess[], password: string, filename: string): void {
  printLine(`Sign in as admin with the password ${password}`);
  printLine(`\n  curl -fO ${servers[1]?.url}/Packages/${encodeURIComponent(filename)}\n`);
  printLine('Both servers stay up until Ctrl-C.');
}

async function main(): Promise<number> {
  const args = parseDemoArguments(process.argv.slice(2));
  if (args === 'help') return printLine(HELP) ? 0 : 0;
  const password = readAdminPassword(args.dataDir);
  printLine('Starting two servers …');
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => null);
  const all: ServerProcess[] = [];
  try {
    const servers = await Promise.race([startServers(args, password, all), stopped]);
    const result = servers && (await Promise.race([replicatePackage(args, servers, password), stopped]));
    if (servers === null || result === null) return EXIT_STOPPED;
    printServers(servers, result.verified);
    if (!args.once) {
      printNextSteps(servers, password, result.package.filename);
      await stopped;
    }
    await Promise.all(all.map((server) => server.stop()));
    if (args.once) process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.verified ? 0 : 1;
  } finally {
    await Promise.all(all.map((server) => server.stop()));
  }
}

try {
  process.exitCode = await main();
  // Exits at once, so that a server that is about to start does not start any more.
  if (process.exitCode === EXIT_STOPPED) process.exit();
} catch (error) {
  printLine(
    error instanceof StartupError
      ? error.message
      : `The demo failed: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
}
