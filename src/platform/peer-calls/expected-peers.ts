import { Injectable } from '@nestjs/common';

const REGISTRATION_TIMEOUT_MS = 5_000;

interface ExpectedPeer {
  readonly publicKey: string;
  readonly registration: Promise<unknown>;
}

/**
 * Servers that we are about to register. The other side may have recorded us already and call before we have recorded
 * it; such a call waits until it can be judged by what is on record.
 */
@Injectable()
export class ExpectedPeers {
  private readonly expected = new Map<string, ExpectedPeer>();

  get none(): boolean {
    return this.expected.size === 0;
  }

  /** Does the work, which ends when the peer is on record or was not registered after all. */
  async whileRegistering<T>(peerId: string, publicKey: string, work: () => Promise<T>): Promise<T> {
    const registration = work();
    const entry = { publicKey, registration };
    this.expected.set(peerId, entry);
    try {
      return await registration;
    } finally {
      if (this.expected.get(peerId) === entry) this.expected.delete(peerId);
    }
  }

  /** Raw 32-byte Ed25519 public key, base64url. */
  keyOf(peerId: string): string | null {
    return this.expected.get(peerId)?.publicKey ?? null;
  }

  /** Resolves when the registration has ended, well or not; after 5 s in any case. */
  async waitForRegistration(peerId: string): Promise<void> {
    const registration = this.expected.get(peerId)?.registration.catch(() => undefined);
    const patience = new Promise((resolve) => setTimeout(resolve, REGISTRATION_TIMEOUT_MS).unref());
    await Promise.race([registration, patience]);
  }
}
