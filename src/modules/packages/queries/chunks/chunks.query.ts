import { Query } from '@nestjs/cqrs';
import type { ChunkView } from '../../contracts/package-view.js';

/** Chunks `from` … `from + count - 1` of one package. */
export interface ChunkWindow {
  readonly packageId: string;
  readonly from: number;
  readonly count: number;
}

/** The chunks of several windows in one look-up, a list a window. */
export class ChunksQuery extends Query<readonly (readonly ChunkView[])[]> {
  constructor(readonly windows: readonly ChunkWindow[]) {
    super();
  }
}
