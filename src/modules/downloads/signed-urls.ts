import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ServerSecrets } from '../../platform/secrets/server-secrets.js';

const SECRET_NAME = 'download-url-key';
const KEY_BYTES = 32;
/** A part of the signed text, which distinguishes this form of signature from later ones. */
const SIGNATURE_CONTEXT = 'odst-download-url-1';

type SignatureVerdict = 'valid' | 'expired' | 'wrong';

/**
 * Signs addresses of packages with HMAC-SHA256 over the id of the package and the time at which the address expires. All
 * processes of this server share the key, and no other server has it.
 */
@Injectable()
export class SignedUrls {
  private key: Promise<Buffer> | null = null;

  constructor(private readonly secrets: ServerSecrets) {}

  /** Returns the query of a signed address: `expires=<seconds since 1970>&signature=<base64url>`. */
  async signUrl(packageId: string, expiresAt: Date): Promise<string> {
    const expires = Math.floor(expiresAt.getTime() / 1000);
    return `expires=${expires}&signature=${(await this.signature(packageId, expires)).toString('base64url')}`;
  }

  /** Checks the query of a signed address. `now` is in milliseconds since 1970. */
  async checkSignature(
    packageId: string,
    expires: string | null,
    computeSignature: string | null,
    now = Date.now(),
  ): Promise<SignatureVerdict> {
    if (expires === null || computeSignature === null || !/^\d{1,12}$/.test(expires)) return 'wrong';
    const shown = Buffer.from(computeSignature, 'base64url');
    const right = await this.signature(packageId, Number(expires));
    if (shown.length !== right.length || !timingSafeEqual(shown, right)) return 'wrong';
    return Number(expires) * 1000 > now ? 'valid' : 'expired';
  }

  private async signature(packageId: string, expires: number): Promise<Buffer> {
    this.key ??= this.secrets.findOrStore(SECRET_NAME, randomBytes(KEY_BYTES));
    const key = await this.key.catch((error: unknown) => {
      this.key = null;
      throw error;
    });
    return createHmac('sha256', key).update(`${SIGNATURE_CONTEXT}\n${packageId}\n${expires}`).digest();
  }
}
