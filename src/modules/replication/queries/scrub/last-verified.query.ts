import { Query } from '@nestjs/cqrs';

/** When the files of packages were last verified whole, by scrub, on request or when published; null for what is not held. */
export class LastVerifiedQuery extends Query<readonly (Date | null)[]> {
  constructor(readonly packageIds: readonly string[]) {
    super();
  }
}
