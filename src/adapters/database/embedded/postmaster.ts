import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { StartupError } from '../../../kernel/errors.js';
import type { Cluster } from './cluster.js';
import { findPostmaster, type Postmaster, readPostmaster } from './postmaster-file.js';

/**
 * Settings for a server that shares a small machine with its application: little memory, few processes, and a WAL that
 * is cheap to write and never loses a commit.
 */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  random_page_cost: '1.1',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  io_method: 'sync',
  synchronous_commit: 'on',
  wal_level: 'minimal',
  max_wal_senders: '0',
  wal_buffers: '16MB',
  wal_compression: 'on',
  min_wal_size: '128MB',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  // Statements contain event data, which must not be in a log file.
  log_min_error_statement: 'panic',
};

/** Time limit for crash recovery, and for another process that is stopping. */
const START_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_INTERVAL_MS = 10;

/** Errors that disappear by themselves: the port was taken meanwhile, or a crashed server is still ending. */
const TRANSIENT =
  /Address already in use|lock file "postmaster.pid" already exists|shared memory block .* is still in use/;
const MAX_TRIES = 20;

export type ServerOptions = Readonly<Record<string, string>>;

/**
 * Returns once PostgreSQL answers on this cluster: the one that runs already, or a new one on `port` (0 for any free
 * port).
 * @throws StartupError with the reason from PostgreSQL's log
 */
export async function startOrAdopt(cluster: Cluster, port: number, extra: ServerOptions): Promise<Postmaster> {
  for (let tries = 1; ; tries++) {
    const running = await adoptRunning(cluster);
    if (running) return running;
    const log = await launchServer(cluster, port === 0 ? await findFreePort() : port, extra);
    if (log.postmaster) return log.postmaster;
    if (tries >= MAX_TRIES || !TRANSIENT.test(log.output)) throw new StartupError(findReason(log.output, cluster));
    await delay(tries * 20);
  }
}

/**
 * Stops the server by a fast shutdown, which disconnects all clients and loses nothing; by an immediate one after 30 s.
 */
export async function shutDown({ data }: Cluster): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    const running = await findPostmaster(data);
    if (!running) return;
    process.kill(running.pid, signal);
    await waitUntil(async () => (await findPostmaster(data)) === null, STOP_TIMEOUT_MS);
  }
}

async function adoptRunning({ data }: Cluster): Promise<Postmaster | null> {
  let found = await findPostmaster(data);
  await waitUntil(
    async () => found === null || found.ready || ((found = await findPostmaster(data)), false),
    START_TIMEOUT_MS,
  );
  if (found && !found.ready) {
    throw new StartupError(`PostgreSQL (process ${found.pid}) on ${data} neither answers nor ends. Stop that process`);
  }
  return found;
}

interface Launched {
  readonly postmaster: Postmaster | null;
  /** The lines that PostgreSQL wrote to its log if it did not start. */
  readonly output: string;
}

async function launchServer(cluster: Cluster, port: number, extra: ServerOptions): Promise<Launched> {
  const log = await open(cluster.logFile, 'a', 0o600);
  const before = (await log.stat()).size;
  try {
    // It gets its own session and process group, so that Ctrl-C does not end it before the application.
    const child = spawnServer(cluster, port, extra, log.fd);
    const postmaster = await waitUntilReady(cluster, child);
    return { postmaster, output: postmaster ? '' : (await readFile(cluster.logFile)).subarray(before).toString() };
  } finally {
    await log.close();
  }
}

function spawnServer(cluster: Cluster, port: number, extra: ServerOptions, log: number): ChildProcess {
  const options = Object.entries({ ...SERVER_SETTINGS, ...extra, port: String(port) });
  const args = ['-D', cluster.data, ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const child = cluster.launcher.launch(cluster.binaries.postgres, args, {
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  return child;
}

async function waitUntilReady({ data }: Cluster, child: ChildProcess): Promise<Postmaster | null> {
  let ended = false;
  void once(child, 'exit').then(
    () => (ended = true),
    () => (ended = true),
  );
  let found: Postmaster | null = null;
  const isUp = async (): Promise<boolean> => {
    found = await readPostmaster(data);
    return found?.pid === child.pid && found?.ready === true;
  };
  await waitUntil(async () => ended || (await isUp()), START_TIMEOUT_MS);
  return ended ? null : found;
}

async function waitUntil(condition: () => Promise<boolean>, patience: number): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await condition()) && Date.now() < deadline) await delay(POLL_INTERVAL_MS);
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port');
  return address.port;
}

function findReason(said: string, { logFile }: Cluster): string {
  const fatal =
    said.split('\n').findLast((line) => /FATAL|PANIC|error/.test(line)) ?? said.trim().split('\n').at(-1) ?? '';
  const reason = fatal.replace(/^.*?(FATAL|PANIC): */, '');
  return `PostgreSQL did not start: ${reason || 'it gave no reason'} (see ${logFile})`;
}
