import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { tlsFile } from '../tls/certificates.js';
import { waitFor } from '../wait-for.js';

/** Distributions put servers where an ordinary user does not look. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`;

export const hasNginx = PATH.split(':').some((folder) => existsSync(join(folder, 'nginx')));

/** Replaces what must be there, so that a test never runs another configuration than it means to. */
function replaced(text: string, from: RegExp, to: string): string {
  if (!from.test(text)) throw new Error(`The configuration has no ${from}`);
  return text.replace(new RegExp(from, 'g'), to);
}

/** Does anybody listen? Without a request, which would reach the app. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  return true;
}

export interface Behind {
  /** Ports on this machine where the app listens. */
  readonly ports: readonly number[];
  /** The app's folder with `packages` in it. */
  readonly dataDir: string;
}

/** The configurations that we ship: for containers, and for nginx on the machine of the server. */
type Shipped = 'nginx.conf' | 'nginx-one-machine.conf';

const readShipped = (name: Shipped, changes: readonly [RegExp, string][]): string =>
  changes.reduce((conf, [from, to]) => replaced(conf, from, to), readFileSync(join('docker', name), 'utf8'));

const listServers = (ports: readonly number[]): string => ports.map((at) => `server 127.0.0.1:${at};`).join(' ');

/** docker/nginx.conf with the addresses and folders of this machine, nothing else. */
function configuration({ ports, dataDir }: Behind, port: number, folder: string): string {
  const text = readShipped('nginx.conf', [
    [/(?<= )\/tmp\//, `${folder}/`],
    [/listen 8080;/, `listen 127.0.0.1:${port};`],
    [/server api:8080;/, listServers(ports)],
    [/alias \/data\//, `alias ${dataDir}/`],
    [/error_log stderr/, `error_log ${folder}/error.log`],
    [/worker_rlimit_nofile 65536;\n/, ''],
    [/worker_connections 8192;/, 'worker_connections 1024;'],
  ]);
  // Started as root, the workers would be somebody else, who may not read what the test made.
  return `daemon off;\n${userLine()}${text}`;
}

const userLine = (): string => (process.getuid?.() === 0 ? 'user root;\n' : '');

/** docker/nginx-one-machine.conf, in what stands for the nginx.conf of a distribution. */
function configurationOfMachine({ ports, dataDir }: Behind, port: number, folder: string): string {
  const site = readShipped('nginx-one-machine.conf', [
    [/listen 443 ssl;/, `listen 127.0.0.1:${port} ssl;`],
    [/server 127\.0\.0\.1:8080;/, listServers(ports)],
    [/alias \/var\/lib\/odst\//, `alias ${dataDir}/`],
    [/proxy_cache_path \/var\/lib\/nginx\//, `proxy_cache_path ${folder}/`],
    [/\/etc\/ssl\/packages\.pem/, tlsFile('localhost.crt')],
    [/\/etc\/ssl\/packages\.key/, tlsFile('localhost.key')],
  ]);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/nginx-${name};`,
  );
  return `daemon off;\n${userLine()}pid ${folder}/nginx.pid;\nerror_log ${folder}/error.log;
events { worker_connections 768; }\nhttp {\ntypes { text/html html; }\n${paths.join('\n')}\n${site}\n}\n`;
}

/** The nginx of this machine with the configuration that we ship. */
export class Nginx {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly child: ChildProcess,
    private readonly scheme: 'http' | 'https',
  ) {}

  static async start(behind: Behind, shipped: Shipped = 'nginx.conf'): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'odst-nginx-'));
    const port = await findFreePort(0);
    const file = join(folder, 'nginx.conf');
    const isMachine = shipped === 'nginx-one-machine.conf';
    writeFileSync(file, (isMachine ? configurationOfMachine : configuration)(behind, port, folder));
    const child = spawn('nginx', ['-c', file, '-p', folder], { env: { ...process.env, PATH }, stdio: 'ignore' });
    const nginx = new Nginx(port, folder, child, isMachine ? 'https' : 'http');
    await waitFor('nginx', async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${nginx.log}`);
      return accepts(port);
    });
    return nginx;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  get log(): string {
    const file = join(this.folder, 'error.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** What nginx has put on its disk of bodies on their way, in both directions. */
  get buffered(): string[] {
    return ['nginx-body', 'nginx-proxy'].flatMap((name) =>
      readdirSync(join(this.folder, name), { recursive: true }).map((file) => `${name}/${String(file)}`),
    );
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
