import { takesStage, type Stage } from '../../../src/kernel/stage.js';
import { foldPackages } from '../../../src/modules/packages/read-model/package-fold.js';
import type { PackageEntity } from '../../../src/modules/packages/read-model/package.entity.js';
import type { RecordedEvent } from '../../../src/kernel/events.js';

/** Judged by the stamps alone, not by the code under test. */
export const isGone = ({ removal, publication }: PackageEntity): boolean => removal !== null && removal > publication;

/** What a server shows of its packages, from its whole log. */
export class Shown {
  private readonly rows: ReadonlyMap<string, PackageEntity>;

  constructor(
    log: readonly RecordedEvent[],
    readonly stage: Stage,
  ) {
    this.rows = new Map(foldPackages([], log).map((row) => [row.id, row]));
  }

  get packages(): readonly PackageEntity[] {
    return [...this.rows.values()];
  }

  find(packageId: string): PackageEntity | undefined {
    return this.rows.get(packageId);
  }

  takes(row: PackageEntity): boolean {
    return takesStage(this.stage, row.stage);
  }

  /** The package that `/Packages/<filename>` gives. */
  served(filename: string): PackageEntity | undefined {
    return this.candidates(filename)[0];
  }

  /** All that could be served under a filename, the one that is first. */
  candidates(filename: string): readonly PackageEntity[] {
    const those = this.packages.filter(
      (row) => row.filename === filename && row.held && this.takes(row) && !isGone(row),
    );
    return those.toSorted((a, b) => (a.publication > b.publication ? -1 : 1));
  }
}
