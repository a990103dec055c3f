/** A call to /peer/v1 that was refused. */
export interface RefusedPeerCall {
  /** Code of the refusal. */
  readonly code: string;
  readonly reason: string;
  readonly method: string;
  readonly path: string;
  /** What the caller claimed to be. */
  readonly keyId: string | null;
}

/** The record of refused calls between servers; bounded, so that strangers can't fill the log. */
export abstract class PeerCallAudit {
  /** Resolves when it is recorded or counted. Never throws. */
  abstract refused(call: RefusedPeerCall): Promise<void>;
}
