/** No registered peer is known to have the package. */
export class NoSource extends Error {}

/** Other work first: the job is to be done again in a moment. */
export class FetchPostponed extends Error {}

/** Only peers are left that fetch the package themselves, and they do not have the chunks yet. */
export class ChunksPending extends FetchPostponed {}
