/** A place is saved so long after it moved, in milliseconds, with what moved meanwhile. */
const SAVE_DELAY_MS = 250;

/**
 * How far a reader of news has come. It is saved in the background and not each time: after a crash what came since
 * is read again, which has to be harmless.
 */
export class SavedPlace {
  private latest: string | null = null;
  private saved: string | null = null;
  private saving: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly save: (place: string) => Promise<void>,
    private readonly onError: (error: unknown) => void,
  ) {}

  move(place: string): void {
    this.latest = place;
    this.timer ??= setTimeout(() => void this.settled(), SAVE_DELAY_MS);
  }

  /** Resolves when the latest place is saved, or could not be. */
  settled(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.saving = this.saving.then(() => this.saveLatest());
    return this.saving;
  }

  private async saveLatest(): Promise<void> {
    const { latest } = this;
    if (latest === null || latest === this.saved) return;
    try {
      await this.save(latest);
      this.saved = latest;
    } catch (error) {
      this.onError(error);
    }
  }
}
