import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { waitFor } from '../wait-for.js';

const SHIPPED = join('docker', 'nginx.conf');
/** Distributions put servers where an ordinary user does not look. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`;

export const hasNginx = PATH.split(':').some((folder) => existsSync(join(folder, 'nginx')));

/** Replaces what must be there, so that a test never runs another configuration than it means to. */
function replaced(text: string, from: RegExp, to: string): string {
  if (!from.test(text)) throw new Error(`docker/nginx.conf has no ${from}`);
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

/** docker/nginx.conf with the addresses and folders of this machine, nothing else. */
function configuration({ ports, dataDir }: Behind, port: number, folder: string): string {
  const servers = ports.map((at) => `server 127.0.0.1:${at};`).join(' ');
  const changes: [RegExp, string][] = [
    [/(?<= )\/tmp\//, `${folder}/`],
    [/listen 8080;/, `listen 127.0.0.1:${port};`],
    [/server api:8080;/, servers],
    [/alias \/data\//, `alias ${dataDir}/`],
    [/error_log stderr/, `error_log ${folder}/error.log`],
    [/worker_rlimit_nofile 65536;\n/, ''],
    [/worker_connections 8192;/, 'worker_connections 1024;'],
  ];
  const text = changes.reduce((conf, [from, to]) => replaced(conf, from, to), readFileSync(SHIPPED, 'utf8'));
  // Started as root, the workers would be somebody else, who may not read what the test made.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  return `daemon off;\n${user}${text}`;
}

/** The nginx of this machine with the configuration that we ship. */
export class Nginx {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(behind: Behind): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'odst-nginx-'));
    const port = await findFreePort(0);
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configuration(behind, port, folder));
    const child = spawn('nginx', ['-c', file, '-p', folder], { env: { ...process.env, PATH }, stdio: 'ignore' });
    const nginx = new Nginx(port, folder, child);
    await waitFor('nginx', async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${nginx.log}`);
      return accepts(port);
    });
    return nginx;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
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
