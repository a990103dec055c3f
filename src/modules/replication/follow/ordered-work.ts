/** Largest number of items that are worked on at the same time. */
const MAX_UNDER_WAY = 8;

interface WorkListener {
  /** This item and all items that were added before it are done. */
  notePlace(id: string): void;
  /** An item failed, so that no later item counts as reached. It is called once. */
  failed(error: unknown): void;
}

/** Works on several items at the same time, but on items of one key in their order, and reports up to which item all is done. */
export class OrderedWork<T> {
  private readonly window: Promise<void>[] = [];
  private readonly lastOf = new Map<string, Promise<void>>();
  private tail: Promise<void> = Promise.resolve();
  private hasFailed = false;

  constructor(
    private readonly work: (item: T) => Promise<void>,
    private readonly listener: WorkListener,
  ) {}

  /** Starts an item. Resolves when there is room for the next one. */
  async addItem(id: string, key: string, item: T): Promise<void> {
    if (this.window.length >= MAX_UNDER_WAY) await this.window.shift();
    const done = this.beginItem(key, item);
    this.tail = Promise.all([this.tail, done]).then(
      () => (this.hasFailed ? undefined : this.listener.notePlace(id)),
      (error: unknown) => this.noteFailure(error),
    );
    this.window.push(this.tail);
  }

  /** Resolves when all added items are done or have failed. */
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
