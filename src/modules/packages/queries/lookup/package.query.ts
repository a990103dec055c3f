import { Query } from '@nestjs/cqrs';
import type { PackageView } from '../../contracts/package-view.js';

/** The package served under a filename, or else the one published last under it; null when there was never one. */
export class PackageByFilenameQuery extends Query<PackageView | null> {
  constructor(readonly filename: string) {
    super();
  }
}

/** The packages served under filenames (NFC), in the order asked for; null where none is. */
export class ServedPackagesQuery extends Query<readonly (PackageView | null)[]> {
  constructor(readonly filenames: readonly string[]) {
    super();
  }
}

/** Packages by their ids, in the order asked for; null for an unknown one. */
export class PackagesByIdQuery extends Query<readonly (PackageView | null)[]> {
  constructor(readonly ids: readonly string[]) {
    super();
  }
}
