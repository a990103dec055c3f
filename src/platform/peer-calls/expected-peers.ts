import { Injectable } from '@nestjs/common';

/** The longest time for which a call waits for the end of a registration. */
const REGISTRATION_TIMEOUT_MS = 5_000;

interface ExpectedPeer {
  readonly publicKey: string;
  readonly registration: Promise<unknown>;
}

/**
 * The servers with which this server is registering at the moment. The other server may have recorded this one already,
 * and may call it before this server has recorded the other one. Such a call waits until the registration has ended.
 */
@Injectable()
export class ExpectedPeers {
  private readonly expected = new Map<string, ExpectedPeer>();

  /** True when no registration is under way. */
  get none(): boolean {
    return this.expected.size === 0;
  }

  /**
   * Runs `work`, which registers the peer, and expects calls of the peer until it ends. Returns the result of `work`.
   * @throws what `work` throws
   */
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

  /**
   * The public key of an expected peer (raw Ed25519 key, base64url); null when no registration with it is under way.
   */
  keyOf(peerId: string): string | null {
    return this.expected.get(peerId)?.publicKey ?? null;
  }

  /** Resolves when the registration has succeeded or failed, and after 5 s at the latest. */
  async waitForRegistration(peerId: string): Promise<void> {
    const registration = this.expected.get(peerId)?.registration.catch(() => undefined);
    const patience = new Promise((resolve) => setTimeout(resolve, REGISTRATION_TIMEOUT_MS).unref());
    await Promise.race([registration, patience]);
  }
}
