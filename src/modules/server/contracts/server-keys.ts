import { Message } from '../../../kernel/message.js';

/** Command: forget private keys of this server that no peer knows it by any more. */
export class RetireKeys extends Message<void> {}

/** What the former key of a server signs when another takes its place: who knows the former can trust the new one. */
export const rotationBytes = (serverId: string, previousPublicKey: string, publicKey: string): Buffer =>
  Buffer.from(`odst server key\n${serverId}\n${previousPublicKey}\n${publicKey}`);
