/** Seconds of one slot, and slots that are remembered: more than half an hour. */
const SLOT_S = 0.5;
const SLOTS = 4096;

/**
 * How much of each server's line is taken, slot by slot: what is simulated later may still use a gap that is earlier.
 * The slots form a ring; what is older than the ring counts as free.
 */
export class Line {
  private readonly taken: Float32Array;
  private readonly slotOf: Int32Array;

  constructor(private readonly speed: Float64Array) {
    this.taken = new Float32Array(speed.length * SLOTS);
    this.slotOf = new Int32Array(speed.length * SLOTS).fill(-1);
  }

  static readonly slotAt = (at: number): number => Math.floor(at / SLOT_S);
  static readonly startOf = (slot: number): number => slot * SLOT_S;

  /** Bytes that still fit into a slot of the server's line. */
  room(server: number, slot: number): number {
    const place = server * SLOTS + (slot % SLOTS);
    return this.speed[server]! * SLOT_S - (this.slotOf[place] === slot ? this.taken[place]! : 0);
  }

  /** Takes bytes; returns the seconds of the slot that are taken then. */
  take(server: number, slot: number, bytes: number): number {
    const place = server * SLOTS + (slot % SLOTS);
    if (this.slotOf[place]! > slot) return 0;
    if (this.slotOf[place] !== slot) this.taken[place] = 0;
    this.slotOf[place] = slot;
    this.taken[place]! += bytes;
    return this.taken[place]! / this.speed[server]!;
  }

  /** The end of the slot, in seconds. */
  static readonly endOf = (slot: number): number => (slot + 1) * SLOT_S;
}
