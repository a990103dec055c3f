import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Settings } from '../../../platform/runtime/settings.js';
import { PgListener } from '../../../platform/runtime/pg-listener.js';
import { newId } from '../../../platform/runtime/ids.js';
import { Refusal } from '../../../kernel/errors.js';
import { type PeerRoute, PeerTunnels, type TunnelEnd } from '../../../ports/tunnel-transport.port.js';
import { RequestSigner } from '../../../ports/request-signer.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { describeOwnProcess, takeFromOtherProcess } from './other-processes.js';
import { TunnelHub } from './tunnel-hub.js';
import { TunnelPort } from './tunnel-port.js';
import { TUNNELS_CHANNEL, TunnelTable, type TunnelRow } from './tunnel-table.js';

/** Interval at which rows are written and read again, in addition to every change. */
const REFRESH_INTERVAL_MS = 5_000;

/**
 * Knows how each peer can be called: at its address, or through tunnels that end in this process or in another process
 * of this server.
 */
@Injectable()
export class TunnelRoutes extends PeerTunnels implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly processId = newId();
  private readonly logger = new Logger('Tunnels');
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  private readonly ports = new Map<string, Promise<TunnelPort>>();
  private rows: readonly TunnelRow[] = [];
  private connected = new Set<string>();
  private working: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(
    private readonly settings: Settings,
    private readonly hub: TunnelHub,
    private readonly table: TunnelTable,
    private readonly listener: PgListener,
    private readonly signer: RequestSigner,
    private readonly identity: ServerIdentity,
  ) {
    super();
    hub.onChange((peerId, end) => this.recordChange(peerId, end));
  }

  async onApplicationBootstrap(): Promise<void> {
    this.listener.listen(TUNNELS_CHANNEL, () => this.runNext(() => this.readRows()));
    this.listener.onReconnect(() => this.runNext(() => this.readRows()));
    this.timer = setInterval(() => this.runNext(() => this.refreshRows()), REFRESH_INTERVAL_MS).unref();
    this.runNext(() => this.readRows());
    await this.working;
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    for (const peerId of this.hub.peerIds()) this.runNext(() => this.table.saveCount(peerId, this.self, 0));
    this.stopped = true;
    const ports = await Promise.all(this.ports.values());
    await Promise.all([this.working, ...ports.map((port) => port.close())]);
  }

  routeKindTo(peerId: string): PeerRoute['kind'] {
    if (this.hasTunnel(peerId)) return 'tunnel';
    return this.rows.some((row) => row.peerId === peerId) ? 'none' : 'direct';
  }

  async routeTo(peerId: string): Promise<PeerRoute> {
    const kind = this.routeKindTo(peerId);
    if (kind !== 'tunnel') return { kind };
    const { host, port } = await this.portOf(peerId);
    return { kind, host, port };
  }

  onArrival(listener: (peerId: string) => void): () => void {
    this.emitter.on('arrival', listener);
    return () => this.emitter.off('arrival', listener);
  }

  private get self() {
    return describeOwnProcess(this.processId, this.settings.port);
  }

  private hasTunnel(peerId: string): boolean {
    return this.hub.countOpen(peerId) > 0 || this.rowsOfOthers(peerId).length > 0;
  }

  private rowsOfOthers(peerId: string): readonly TunnelRow[] {
    return this.rows.filter((row) => row.peerId === peerId && row.processId !== this.processId && row.open > 0);
  }

  private portOf(peerId: string): Promise<TunnelPort> {
    const known = this.ports.get(peerId);
    if (known) return known;
    const opened = TunnelPort.open((signal) => this.takeTunnel(peerId, signal));
    opened.catch(() => this.ports.delete(peerId));
    this.ports.set(peerId, opened);
    return opened;
  }

  private async takeTunnel(peerId: string, signal: AbortSignal): Promise<Duplex> {
    if (this.hub.countOpen(peerId) > 0) return (await this.hub.takeTunnel(peerId, signal)).stream;
    let failure: unknown = new Refusal('UNAVAILABLE', 'The peer has no tunnel open to this server.');
    for (const row of this.rowsOfOthers(peerId)) {
      try {
        return await takeFromOtherProcess(
          row,
          { peerId, serverId: this.identity.serverId, signal, secure: this.settings.tls !== null },
          this.signer,
        );
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  private recordChange(peerId: string, end: TunnelEnd | null): void {
    const forgotten = end === 'reachable' || end === 'unwelcome';
    this.runNext(() => {
      const open = this.hub.countOpen(peerId);
      return open === 0 && forgotten ? this.table.forgetPeer(peerId) : this.table.saveCount(peerId, this.self, open);
    });
    this.emitArrivals();
  }

  private async readRows(): Promise<void> {
    this.rows = await this.table.listRows();
    this.emitArrivals();
  }

  private async refreshRows(): Promise<void> {
    for (const peerId of this.hub.peerIds()) await this.table.saveCount(peerId, this.self, this.hub.countOpen(peerId));
    await this.table.deleteOldRows();
    await this.readRows();
  }

  private emitArrivals(): void {
    const before = this.connected;
    this.connected = new Set(
      [...this.hub.peerIds(), ...this.rows.map(({ peerId }) => peerId)].filter((id) => this.hasTunnel(id)),
    );
    for (const peerId of this.connected) if (!before.has(peerId)) this.emitter.emit('arrival', peerId);
  }

  /** Runs one piece of work after the other, so that the table holds what was saved last. */
  private runNext(work: () => Promise<void>): void {
    if (this.stopped) return;
    this.working = this.working.then(work).catch((error: unknown) => {
      this.logger.warn(`The table of tunnels could not be read or written: ${String(error)}`);
    });
  }
}
