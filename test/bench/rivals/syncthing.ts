import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { shell, warm } from '../machine.js';

const FOLDER = 'bench';
const API_KEY = 'bench';
/** No call leaves this machine. */
const OPTIONS = {
  globalAnnounceEnabled: false,
  localAnnounceEnabled: false,
  relaysEnabled: false,
  natEnabled: false,
  urAccepted: -1,
  crashReportingEnabled: false,
  autoUpgradeIntervalH: 0,
  startBrowser: false,
};

/** One Syncthing of its own, in a fresh home. */
class Instance {
  id = '';

  private constructor(
    readonly shared: string,
    private readonly api: string,
    readonly address: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(home: string): Promise<Instance> {
    const shared = join(home, 'shared');
    mkdirSync(shared, { recursive: true });
    await shell(`syncthing generate --home '${home}' --no-default-folder --skip-port-probing`);
    const gui = await findFreePort(0);
    const args = [
      'serve',
      '--home',
      home,
      '--no-browser',
      '--no-restart',
      '--no-upgrade',
      `--gui-address=http://127.0.0.1:${gui}`,
      `--gui-apikey=${API_KEY}`,
    ];
    const child = spawn('syncthing', args, { stdio: 'ignore' });
    const instance = new Instance(shared, `http://127.0.0.1:${gui}`, `tcp://127.0.0.1:${await findFreePort(0)}`, child);
    while (!(await instance.answers())) await delay(100);
    instance.id = z.object({ myID: z.string() }).parse(await instance.call('GET', '/rest/system/status')).myID;
    await instance.call('PATCH', '/rest/config/options', { ...OPTIONS, listenAddresses: [instance.address] });
    return instance;
  }

  async call(method: string, path: string, body?: object): Promise<unknown> {
    const headers = { 'X-API-Key': API_KEY, 'content-type': 'application/json' };
    const response = await fetch(`${this.api}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Syncthing answered ${method} ${path} with ${response.status}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** Explicit rescans only, so that what is timed begins when we say so. */
  async shareWith(peer: Instance): Promise<void> {
    const device = { deviceID: peer.id, name: 'peer', addresses: [peer.address], compression: 'never' };
    await this.call('PUT', `/rest/config/devices/${peer.id}`, device);
    const devices = [{ deviceID: this.id }, { deviceID: peer.id }];
    const folder = {
      id: FOLDER,
      label: FOLDER,
      path: this.shared,
      type: 'sendreceive',
      devices,
      fsWatcherEnabled: false,
      rescanIntervalS: 0,
    };
    await this.call('PUT', `/rest/config/folders/${FOLDER}`, folder);
  }

  async isConnectedTo(peer: Instance): Promise<boolean> {
    const Connections = z.object({ connections: z.record(z.string(), z.object({ connected: z.boolean() })) });
    return (
      Connections.parse(await this.call('GET', '/rest/system/connections')).connections[peer.id]?.connected ?? false
    );
  }

  /** Resolves when the scan has ended. */
  async rescan(): Promise<void> {
    await this.call('POST', `/rest/db/scan?folder=${FOLDER}`);
  }

  /** Has it all that anybody has? */
  async isInSync(): Promise<boolean> {
    const Status = z.object({ state: z.string(), needTotalItems: z.number() });
    const { state, needTotalItems } = Status.parse(await this.call('GET', `/rest/db/status?folder=${FOLDER}`));
    return state === 'idle' && needTotalItems === 0;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }

  private answers(): Promise<boolean> {
    return this.call('GET', '/rest/system/ping').then(
      () => true,
      () => false,
    );
  }
}

/** Seconds until B had all files under their names. */
export interface SyncthingTimes {
  /** From the order to scan A. */
  readonly withScan: number;
  /** From the end of that scan. B may have begun before it when there are several files. */
  readonly afterScan: number;
}

/** Two Syncthings on this machine that share a folder and nothing else. */
export class SyncthingPair {
  private constructor(
    private readonly a: Instance,
    private readonly b: Instance,
  ) {}

  static async start(folder: string): Promise<SyncthingPair> {
    const [a, b] = await Promise.all(['syncthing-a', 'syncthing-b'].map((name) => Instance.start(join(folder, name))));
    if (!a || !b) throw new Error('Syncthing did not start');
    await a.shareWith(b);
    await b.shareWith(a);
    while (!(await a.isConnectedTo(b))) await delay(100);
    return new SyncthingPair(a, b);
  }

  /** Puts files into A's folder, has it scanned and waits for B. Leaves both folders empty. `scratch`: to warm the machine. */
  async sync(files: readonly string[], scratch: string): Promise<SyncthingTimes> {
    const sizes = new Map(files.map((file) => [file.split('/').at(-1) ?? '', statSync(file).size]));
    await shell(`cp ${files.map((file) => `'${file}'`).join(' ')} '${this.a.shared}'`);
    await warm(scratch);
    const startedAt = performance.now();
    const scanned = this.a.rescan().then(() => performance.now());
    await this.arrived(sizes);
    const arrivedAt = performance.now();
    const times = { withScan: (arrivedAt - startedAt) / 1000, afterScan: (arrivedAt - (await scanned)) / 1000 };
    await shell(
      `diff <(cd '${this.a.shared}' && openssl dgst -sha1 *) <(cd '${this.b.shared}' && openssl dgst -sha1 *)`,
    );
    await this.empty();
    return times;
  }

  async stop(): Promise<void> {
    await Promise.all([this.a.stop(), this.b.stop()]);
  }

  /** Syncthing gives a file its name when it is whole and synced to disk. */
  private async arrived(sizes: ReadonlyMap<string, number>): Promise<void> {
    for (const [name, size] of sizes) {
      const copy = join(this.b.shared, name);
      while (statSync(copy, { throwIfNoEntry: false })?.size !== size) await delay(4);
    }
  }

  private async empty(): Promise<void> {
    await shell(`find '${this.a.shared}' -maxdepth 1 -type f -delete`);
    await this.a.rescan();
    while (!(await this.b.isInSync()) || (await this.left(this.b)) > 0) await delay(50);
  }

  private async left(instance: Instance): Promise<number> {
    return Number(await shell(`find '${instance.shared}' -maxdepth 1 -type f | wc -l`));
  }
}
