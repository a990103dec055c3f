/** A call to /peer/v1 that was refused. */
export interface RefusedPeerCall {
  /** The error code of the refusal. */
  readonly code: string;
  /** The cause for the audit trail. It may say more than the caller is told. */
  readonly reason: string;
  readonly method: string;
  readonly path: string;
  /** The server id that the caller claims to have, which is not verified; null when it names none. */
  readonly keyId: string | null;
}

/** Records refused calls between servers. Their number in the log is limited, so that strangers cannot fill it. */
export abstract class PeerCallAudit {
  /** Resolves when the call is recorded, or only counted because there are too many. Never throws. */
  abstract refused(call: RefusedPeerCall): Promise<void>;
}
