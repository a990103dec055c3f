import type { Stamp } from '../../../kernel/hybrid-clock.js';

/**
 * Command: the file of a package that was uploaded here was found damaged or gone. Without effect when it was not
 * uploaded here, or was published again since the publication of that stamp.
 */
export class RecordPackageDamage {
  constructor(
    readonly packageId: string,
    readonly publication: Stamp,
    readonly damagedChunks: number,
    readonly missing: boolean,
  ) {}
}
