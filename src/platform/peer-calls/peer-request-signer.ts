import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { createSignatureSync } from 'http-message-sig';
import { RequestSigner, type UnsignedRequest } from '../../ports/request-signer.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { KnownKeys } from './known-keys.port.js';
import {
  ALGORITHM,
  contentDigest,
  LIFETIME_SECONDS,
  RECIPIENT_HEADER,
  SIGNATURE_TAG,
  SIGNED_COMPONENTS,
} from './signature-format.js';

const NO_BODY = new Uint8Array();

/** Signs calls with the key of this server that the called server knows, or with the key that the request gives. */
@Injectable()
export class PeerRequestSigner extends RequestSigner {
  constructor(
    private readonly identity: ServerIdentity,
    private readonly keys: KnownKeys,
  ) {
    super();
  }

  sign({ method, url, body = NO_BODY, to, key }: UnsignedRequest): Record<string, string> {
    const headers: Record<string, string> = { 'content-digest': contentDigest(body) };
    if (to !== null) headers[RECIPIENT_HEADER] = to;
    const fields = Object.entries(headers).map(([name, value]) => ({ name, value }));
    const { signature, signatureInput } = createSignatureSync(
      { kind: 'request', method, targetUri: url, fields },
      {
        components: to === null ? SIGNED_COMPONENTS : [...SIGNED_COMPONENTS, RECIPIENT_HEADER],
        parameters: this.parameters(),
        signer: {
          algorithm: ALGORITHM,
          sign: (bytes: Uint8Array) => this.identity.sign(bytes, key ?? this.keyFor(to)),
        },
      },
    );
    return { ...headers, signature, 'signature-input': signatureInput };
  }

  private keyFor(to: string | null): string {
    return to === null ? this.identity.publicKey : this.keys.keyKnownTo(to);
  }

  private parameters() {
    const created = Math.floor(Date.now() / 1000);
    return {
      created,
      expires: created + LIFETIME_SECONDS,
      nonce: randomBytes(16).toString('base64url'),
      keyid: this.identity.serverId,
      tag: SIGNATURE_TAG,
    };
  }
}
