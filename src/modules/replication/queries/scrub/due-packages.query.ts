import { Query } from '@nestjs/cqrs';

/** A held package whose file was not read for a while. */
export interface DuePackage {
  readonly packageId: string;
  readonly size: number;
  readonly chunkCount: number;
}

/** At most `most` held packages that were last verified before a time, the longest ago first. */
export class DuePackagesQuery extends Query<readonly DuePackage[]> {
  constructor(
    readonly before: Date,
    readonly most: number,
  ) {
    super();
  }
}
