/** A call to another server that is to be signed. */
export interface UnsignedRequest {
  readonly method: string;
  /** The absolute URL, exactly as it will be sent. Path and query are signed as they are written here. */
  readonly url: string;
  /** Bytes of the body. A request without a body leaves it out. */
  readonly body?: Uint8Array;
  /** Id of the server that is called; null only for a request for registration. */
  readonly to: string | null;
  /** The public key of this server to sign with. When it is left out, it is the key by which the other server knows this one. */
  readonly key?: string;
}

/** Signs calls to other servers (RFC 9421), in about 0.1 ms. Every call needs a new signature, because a nonce is accepted once. */
export abstract class RequestSigner {
  /** The headers to send, lower-case: `signature`, `signature-input`, `content-digest`, and `odst-recipient` when `to` is given. */
  abstract sign(request: UnsignedRequest): Record<string, string>;
}
