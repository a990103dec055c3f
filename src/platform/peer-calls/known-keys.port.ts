/**
 * Knows which key of this server each peer has recorded. After a key rotation, a peer has the earlier key until it is
 * told.
 */
export abstract class KnownKeys {
  /**
   * The public key (base64url) by which a peer knows this server. For a server that is not registered, it is the latest
   * key.
   */
  abstract keyKnownTo(peerId: string): string;
}
