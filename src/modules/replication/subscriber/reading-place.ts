import type { Stage } from '../../../kernel/stage.js';
import type { FeedCursors } from './feed-cursors.js';

/** The place in one peer's feed. It is saved in the background: what is lost of it is read again, which is harmless. */
export class ReadingPlace {
  private latest: string | null = null;
  private saved: string | null = null;
  private saving: Promise<void> | null = null;

  constructor(
    private readonly cursors: FeedCursors,
    private readonly peerId: string,
    private readonly stage: Stage,
    private readonly onError: (error: unknown) => void,
  ) {}

  load(): Promise<string | null> {
    return this.cursors.load(this.peerId, this.stage);
  }

  move(id: string): void {
    this.latest = id;
    this.saving ??= this.save().finally(() => {
      this.saving = null;
    });
  }

  /** Resolves when the latest place is saved. */
  async settled(): Promise<void> {
    await this.saving;
  }

  private async save(): Promise<void> {
    try {
      while (this.latest !== null && this.latest !== this.saved) {
        const { latest } = this;
        await this.cursors.save(this.peerId, this.stage, latest);
        this.saved = latest;
      }
    } catch (error) {
      this.onError(error);
    }
  }
}
