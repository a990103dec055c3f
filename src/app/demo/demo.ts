import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '../../kernel/startup-error.js';
import { AdminClient } from './admin-client.js';
import { HELP, parseDemoArguments, type DemoArguments } from './arguments.js';
import { downloadDigest, register, removeEarlierDemos, upload, watchReplication } from './demo-steps.js';
import { packageSource } from './package-source.js';
import { freePort, ServerProcess } from './server-process.js';

const say = (line: string): boolean => process.stderr.write(`${line}\n`);
const seconds = (from: number): number => Math.round(performance.now() - from) / 1000;

/** Kept with the data, since the servers keep the account that was made at their first start. */
function adminPassword(dataDir: string): string {
  const file = join(dataDir, 'admin-password');
  mkdirSync(dataDir, { recursive: true });
  if (!existsSync(file)) writeFileSync(file, randomBytes(12).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

async function startServers(args: DemoArguments, password: string): Promise<[ServerProcess, ServerProcess]> {
  const start = async (name: string, folder: string, port: number) =>
    new ServerProcess({ name, dataDir: join(args.dataDir, folder), port: await freePort(port), adminPassword: password });
  const servers: [ServerProcess, ServerProcess] = [
    await start('Server A', 'server-a', 8081),
    await start('Server B', 'server-b', 8082),
  ];
  const ready = await Promise.allSettled(servers.map((server) => server.ready()));
  const failed = ready.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.all(servers.map((server) => server.stop()));
    throw failed.reason;
  }
  return servers;
}

async function replicate(args: DemoArguments, [first, second]: [ServerProcess, ServerProcess], password: string) {
  const [a, b] = await Promise.all([first, second].map(({ url }) => AdminClient.signIn(url, 'admin', password)));
  if (!a || !b) throw new Error('unreachable');
  await register(b, a);
  await removeEarlierDemos(a);
  const source = packageSource(args);
  const uploadStart = performance.now();
  const { id: _id, stage: _stage, ...uploaded } = await upload(a, args.filename, source);
  const uploadSeconds = seconds(uploadStart);
  const replicateStart = performance.now();
  await watchReplication(b, _id);
  const replicateSeconds = seconds(replicateStart);
  const copy = await downloadDigest(second.url, uploaded.filename);
  return {
    verified: copy === uploaded.sha256 && copy === source.hash.digest('hex'),
    package: uploaded,
    seconds: { upload: uploadSeconds, replicate: replicateSeconds },
    servers: [first, second].map(({ url, options }) => ({ name: options.name, url })),
  };
}

function explain(servers: readonly ServerProcess[], password: string, filename: string, verified: boolean): void {
  const copy = `${servers[1]?.url}/Packages/${encodeURIComponent(filename)}`;
  say('');
  for (const { url, options } of servers) say(`${options.name}: ${url}  (GraphQL: ${url}/graphql, log: ${options.dataDir}/server.log)`);
  say(`Sign in as admin with the password ${password}`);
  say(verified ? 'The copy on Server B has the same SHA-256.' : 'THE COPY ON SERVER B IS NOT THE SAME.');
  say(`\n  curl -fO ${copy}\n`);
}

async function main(): Promise<number> {
  const args = parseDemoArguments(process.argv.slice(2));
  if (args === 'help') return say(HELP) ? 0 : 0;
  const password = adminPassword(args.dataDir);
  say('Starting two servers …');
  const servers = await startServers(args, password);
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  try {
    const result = await Promise.race([replicate(args, servers, password), stopped.then(() => null)]);
    if (result === null) return 130;
    explain(servers, password, result.package.filename, result.verified);
    if (!args.once) {
      say('Both servers stay up until Ctrl-C.');
      await stopped;
    }
    await Promise.all(servers.map((server) => server.stop()));
    if (args.once) process.stdout.write(`${JSON.stringify(result)}\n`);
    return result.verified ? 0 : 1;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof StartupError ? error.message : `The demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
