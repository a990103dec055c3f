import { Message } from '../../../kernel/message.js';

/** Command: deletes the private keys of this server that are older than the oldest key by which a peer knows it. */
export class RetireKeys extends Message<void> {
  constructor(readonly oldestInUse: string) {
    super();
  }
}

/**
 * The text that the former key of a server signs when a new key replaces it. Whoever trusts the former key can trust the
 * new one.
 */
export const keySuccessionText = (serverId: string, previousPublicKey: string, publicKey: string): Buffer =>
  Buffer.from(`odst server key\n${serverId}\n${previousPublicKey}\n${publicKey}`);
