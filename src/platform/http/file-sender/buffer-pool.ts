/** Buffers of one size that are used again and again; at most `keep` are out at a time. */
export class BufferPool {
  private readonly idle: Buffer[] = [];
  private out = 0;

  constructor(
    readonly size: number,
    private readonly keep: number,
  ) {}

  /** Null when all are in use. */
  take(): Buffer | null {
    if (this.out === this.keep) return null;
    this.out += 1;
    return this.idle.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  give(buffer: Buffer): void {
    this.out -= 1;
    this.idle.push(buffer);
  }
}
