export interface RequestToSign {
  readonly method: 'GET' | 'POST';
  /** Absolute; authority, path and query are covered by the signature. */
  readonly url: string;
  readonly body?: Uint8Array;
}

/** Signs this server's calls to its peers (RFC 9421, Ed25519). */
export abstract class RequestSigner {
  /**
   * The headers to add, in lower case: signature-input, signature and, where there is a body, content-digest
   * (RFC 9530). Each call makes a new nonce, so a repeated request must be signed again.
   */
  abstract sign(request: RequestToSign): Readonly<Record<string, string>>;
}
