/** Delay between a move and the save. All moves within this time are saved together. */
const SAVE_DELAY_MS = 250;

/**
 * The place up to which a reader of a log or a feed has come. It is saved in the background, and not after each move.
 * After a crash, the reader gets the items since the last save again, so handling an item twice must do no harm.
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

  /** Sets the place. Saving it begins within 250 ms. */
  move(place: string): void {
    this.latest = place;
    this.timer ??= setTimeout(() => void this.settled(), SAVE_DELAY_MS);
  }

  /** Saves the latest place now. Resolves when it is saved, or when saving has failed, which `onError` reports. */
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
