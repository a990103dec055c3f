import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { createSignatureSync } from 'http-message-sig';
import { RequestSigner, type UnsignedRequest } from '../../../ports/request-signer.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { contentDigest } from './content-digest.js';
import { ALGORITHM, COMPONENTS, LIFETIME_SECONDS, RECIPIENT, TAG } from './policy.js';

const NO_BODY = new Uint8Array();

/** Signs with this server's own key. */
@Injectable()
export class PeerRequestSigner extends RequestSigner {
  private readonly signer;

  constructor(private readonly identity: ServerIdentity) {
    super();
    this.signer = { algorithm: ALGORITHM, sign: (bytes: Uint8Array) => identity.sign(bytes) };
  }

  sign({ method, url, body = NO_BODY, to }: UnsignedRequest): Record<string, string> {
    const headers: Record<string, string> = { 'content-digest': contentDigest(body) };
    if (to !== null) headers[RECIPIENT] = to;
    const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
    const { signature, signatureInput } = createSignatureSync(
      { kind: 'request', method, targetUri: url, fields },
      {
        components: to === null ? COMPONENTS : [...COMPONENTS, RECIPIENT],
        parameters: this.parameters(),
        signer: this.signer,
      },
    );
    return { ...headers, signature, 'signature-input': signatureInput };
  }

  private parameters() {
    const created = Math.floor(Date.now() / 1000);
    return {
      created,
      expires: created + LIFETIME_SECONDS,
      nonce: randomBytes(16).toString('base64url'),
      keyid: this.identity.serverId,
      tag: TAG,
    };
  }
}
