/** Items under way at once. */
const MAX_UNDER_WAY = 8;

export interface WorkListener {
  /** This item and all that were added before it are done. */
  notePlace(id: string): void;
  /** An item failed; nothing after it counts as reached. Called once. */
  failed(error: unknown): void;
}

/** Works on several items at a time, on those of one key one after the other, and tells how far all is done. */
export class OrderedWork<T> {
  private readonly window: Promise<void>[] = [];
  private readonly lastOf = new Map<string, Promise<void>>();
  private tail: Promise<void> = Promise.resolve();
  private hasFailed = false;

  constructor(
    private readonly work: (item: T) => Promise<void>,
    private readonly listener: WorkListener,
  ) {}

  /** Takes an item as soon as there is room for it. */
  async addItem(id: string, key: string, item: T): Promise<void> {
    if (this.window.length >= MAX_UNDER_WAY) await this.window.shift();
    const done = this.beginItem(key, item);
    this.tail = Promise.all([this.tail, done]).then(
      () => (this.hasFailed ? undefined : this.listener.notePlace(id)),
      (error: unknown) => this.noteFailure(error),
    );
    this.window.push(this.tail);
  }

  /** Resolves when all that was added is done or has failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.lastOf.values());
    await this.tail;
  }

  private beginItem(key: string, item: T): Promise<void> {
    const before = this.lastOf.get(key) ?? Promise.resolve();
    const done = before.then(() => (this.hasFailed ? undefined : this.work(item)));
    this.lastOf.set(key, done);
    const forget = () => {
      if (this.lastOf.get(key) === done) this.lastOf.delete(key);
    };
    done.then(forget, forget);
    return done;
  }

  private noteFailure(error: unknown): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    this.listener.failed(error);
  }
}
