import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as secure, type ConnectionOptions } from 'node:tls';
import type { DirectorySettings } from '../../../ports/directory.port.js';
import { requestTls } from './start-tls.js';

const PORTS = { 'ldap:': 389, 'ldaps:': 636 } as const;
type Target = Pick<DirectorySettings, 'url' | 'startTls' | 'ca'>;

/** Returns host, port and protocol of an LDAP URL. */
export function addressOf(url: string): { host: string; port: number; isTls: boolean } {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === 'ldaps:';
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || PORTS[isTls ? 'ldaps:' : 'ldap:'], isTls };
}

/** True when connections are encrypted, by `ldaps://` or StartTLS. */
export const isEncrypted = ({ url, startTls }: Target): boolean => startTls || addressOf(url).isTls;

/** Returns TLS options that always verify the certificate and its name. */
export function tlsOptions({ url, ca }: Target): ConnectionOptions {
  const { host } = addressOf(url);
  const name = isIP(host) ? {} : { servername: host };
  return { host, ...name, ...(ca !== null && { ca }), rejectUnauthorized: true, minVersion: 'TLSv1.2' };
}

/** The connections of one call to the directory. `close` also ends those that were not used. */
export class Connections {
  private readonly opened: Socket[] = [];

  constructor(
    private readonly target: Target,
    private readonly signal: AbortSignal,
  ) {}

  /** Opens a connection that the caller must close. With StartTLS, the server then waits for TLS to begin on it. */
  async lendSocket(): Promise<Socket> {
    const socket = await this.openSocket();
    this.opened.splice(this.opened.indexOf(socket), 1);
    return socket;
  }

  /** Opens a connection that is encrypted when the settings ask for it. */
  async openSecuredSocket(): Promise<Socket> {
    const socket = await this.openSocket();
    if (!isEncrypted(this.target)) return socket;
    const secured = this.keepSocket(secure({ ...tlsOptions(this.target), socket }));
    await once(secured, 'secureConnect', { signal: this.signal });
    return secured;
  }

  close(): void {
    for (const socket of this.opened) socket.destroy();
  }

  private async openSocket(): Promise<Socket> {
    this.signal.throwIfAborted();
    const { host, port } = addressOf(this.target.url);
    const socket = this.keepSocket(connect({ host, port, noDelay: true }));
    await once(socket, 'connect', { signal: this.signal });
    if (this.target.startTls) await requestTls(socket);
    this.signal.throwIfAborted();
    return socket;
  }

  /** Code that waits for a socket has its own error listener. This one keeps other errors from ending the process. */
  private keepSocket<T extends Socket>(socket: T): T {
    socket.on('error', () => undefined);
    this.opened.push(socket);
    return socket;
  }
}
