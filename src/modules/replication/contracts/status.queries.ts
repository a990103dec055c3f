/** How this server gets on with following a peer. */
export interface PeerContactStatus {
  readonly peerId: string;
  /** Does it read the peer's feed now? */
  readonly following: boolean;
  /** Since when it does, or does not. */
  readonly since: Date;
  readonly lastError: string | null;
  /** Null while it follows. */
  readonly nextTryAt: Date | null;
}

/** Query: one status a peer, null for one that this server does not follow. */
export class PeerContactsQuery {
  constructor(readonly peerIds: readonly string[]) {}
}

/** How a peer does as a source of one package that is being fetched. */
export interface SourceView {
  readonly packageId: string;
  readonly peerId: string;
  readonly peerName: string;
  /** Now; 0 between two runs. */
  readonly bytesPerSecond: number;
  readonly lastError: string | null;
  /** When it may be asked again after an error; null when that is now. */
  readonly nextTryAt: Date | null;
}

/** Query: the sources of each package within the last minute, the fastest first: readonly (readonly SourceView[])[]. */
export class SourcesQuery {
  constructor(readonly packageIds: readonly string[]) {}
}
