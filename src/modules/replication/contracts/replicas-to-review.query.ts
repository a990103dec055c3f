/**
 * Query: a page of the ids of packages whose copy here may no longer be what it should be once this server's stage has
 * changed, after an id (null: from the start): all that are here or on their way, and those that were withdrawn because
 * of their stage.
 */
export class ReplicasToReviewQuery {
  constructor(
    readonly after: string | null,
    readonly most: number,
  ) {}
}
