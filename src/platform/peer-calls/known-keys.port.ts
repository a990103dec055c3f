/** Which of this server's keys each peer has on record. A peer has an earlier key until it was told of the last one. */
export abstract class KnownKeys {
  /**
   * The public key (base64url) by which a peer knows this server. It is the last key for a server that is not
   * registered.
   */
  abstract keyKnownTo(peerId: string): string;
}
