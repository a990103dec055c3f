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

/**
 * Codes with which a peer refuses us until an administrator there changes something, in words for the administrator
 * here. It is no use to ask again at once.
 */
const STANDING_REFUSALS: ReadonlyMap<string, string> = new Map([
  [
    'PEER_NOT_SERVED',
    'it sends nothing to this server. Its policy for this server is RECEIVE_ONLY; ask its administrator to change that',
  ],
  ['PEER_UNREGISTERED', 'it has unregistered this server. Unregister it here too, or register anew with an invitation'],
  ['PEER_SUSPENDED', 'it has suspended the exchange with this server. Ask its administrator to resume it'],
]);

/** What a peer's refusal means when it is one that stands; null for any other code. */
export const explainStandingRefusal = (code: string | null): string | null => STANDING_REFUSALS.get(code ?? '') ?? null;
