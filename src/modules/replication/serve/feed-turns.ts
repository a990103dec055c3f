/** Within this time, a process that comes back after another one took its place counts. */
const WINDOW_MS = 10 * 60_000;
/** A server whose processes pass the work on to each other may come back once. */
const MAX_RETURNS = 1;

interface Turns {
  /** When the feed of a process was last ended because another process opened one. */
  readonly displaced: Map<string, number>;
  returns: number;
}

/**
 * Tells two servers under one id from one server that has lost its connection or was started again. The processes of a
 * server have ids of their own, and a new one takes the place of a former one. Only of two servers that both run, each comes
 * back again and again after the other has taken its place.
 */
export class FeedTurns {
  private readonly peers = new Map<string, Turns>();

  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Notes that a process opens the feed of a peer while the feed of another process is open. Returns false when both belong
   * to different servers, so that the open feed should stay.
   */
  mayDisplace(peerId: string, opening: string, open: string): boolean {
    if (opening === open) return true;
    const turns = this.peers.get(peerId) ?? { displaced: new Map<string, number>(), returns: 0 };
    this.peers.set(peerId, turns);
    this.forgetOld(turns);
    if (turns.displaced.has(opening)) turns.returns += 1;
    if (turns.returns > MAX_RETURNS) {
      // As long as both try, this goes on.
      turns.displaced.set(opening, this.now());
      return false;
    }
    turns.displaced.set(open, this.now());
    return true;
  }

  private forgetOld(turns: Turns): void {
    for (const [process, at] of turns.displaced) if (this.now() - at > WINDOW_MS) turns.displaced.delete(process);
    if (turns.displaced.size === 0) turns.returns = 0;
  }
}
