import type { Mesh } from '../mesh/mesh.js';
import type { Schedule } from '../mesh/scenario.js';
import { Line } from './line.js';

/** A transfer that was begun: when it ends, and whether the whole rest has arrived then. */
export interface Transfer {
  readonly end: number;
  readonly whole: boolean;
}

interface Lines {
  readonly down: Line;
  readonly up: Line;
}

/** Less than so many bytes of room in a slot is none. */
const LEAST = 1024;

/**
 * Who sends and receives when. Each server has one line, each way as fast as its speed, that its transfers share. After
 * the return of those that were cut off all that they missed comes at once, in order, and each transfer waits for the
 * one before.
 */
export class Downloads {
  private readonly parts: readonly [Lines, Lines];
  private readonly busyUntil: Float64Array;

  constructor(
    private readonly mesh: Mesh,
    private readonly schedule: Schedule,
  ) {
    const lines = (): Lines => ({ down: new Line(mesh.speed), up: new Line(mesh.speed) });
    this.parts = [lines(), lines()];
    this.busyUntil = new Float64Array(2 * mesh.servers);
  }

  /** How busy a peer is with sending: of several the one with the lowest is asked. */
  load(now: number, peer: number): number {
    if (now >= this.schedule.returnsFrom) return Math.max(now, this.busyUntil[this.mesh.servers + peer]!);
    const { up } = this.linesAt(now);
    return -up.room(peer, Line.slotAt(now)) / this.mesh.speed[peer]!;
  }

  /** Sends what is missing from the peer to the server until it is there or one of them is cut off. */
  begin(now: number, server: number, peer: number, latency: number, missing: number): Transfer {
    const from = now + 2 * latency;
    const end =
      now < this.schedule.returnsFrom
        ? this.share(from, server, peer, missing)
        : this.queue(from, server, peer, missing);
    const cut = Math.min(this.cutAfter(now, server), this.cutAfter(now, peer));
    return end <= cut ? { end, whole: true } : { end: cut, whole: false };
  }

  speed(server: number, peer: number): number {
    return Math.min(this.mesh.speed[server]!, this.mesh.speed[peer]!);
  }

  /** Through the gaps that both lines have. */
  private share(from: number, server: number, peer: number, missing: number): number {
    const { down, up } = this.linesAt(from);
    const speed = this.speed(server, peer);
    let end = from;
    for (let slot = Line.slotAt(from); missing > 0; slot++) {
      const begin = Math.max(from, Line.startOf(slot));
      const room = Math.min(down.room(server, slot), up.room(peer, slot), (Line.endOf(slot) - begin) * speed);
      if (room < Math.min(LEAST, missing)) continue;
      const bytes = Math.min(room, missing);
      const taken = Math.max(down.take(server, slot, bytes), up.take(peer, slot, bytes));
      end = Math.min(Line.endOf(slot), Math.max(begin + bytes / speed, Line.startOf(slot) + taken));
      missing -= bytes;
    }
    return end;
  }

  private queue(from: number, server: number, peer: number, missing: number): number {
    const sender = this.mesh.servers + peer;
    const end = Math.max(from, this.busyUntil[server]!, this.busyUntil[sender]!) + missing / this.speed(server, peer);
    this.busyUntil[server] = end;
    this.busyUntil[sender] = end;
    return end;
  }

  private linesAt(now: number): Lines {
    return this.parts[now < this.schedule.changesFrom ? 0 : 1];
  }

  private cutAfter(now: number, server: number): number {
    const cut = this.mesh.awayFrom[server]!;
    return cut > now ? cut : Infinity;
  }
}
