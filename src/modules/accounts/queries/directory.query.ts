import { Query } from '@nestjs/cqrs';
import type { DirectoryStatus, DirectoryTest } from '../contracts/directory-view.js';

/** How the connection to the directory is. */
export class DirectoryQuery extends Query<DirectoryStatus> {}

/** What the directory has about a name. Refusals: DIRECTORY_UNAVAILABLE, NO_DIRECTORY. */
export class DirectoryTestQuery extends Query<DirectoryTest> {
  constructor(readonly username: string) {
    super();
  }
}
