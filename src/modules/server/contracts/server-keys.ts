/** Command: forget the private keys of this server that are older than the oldest one by which a peer knows it. */
export class RetireKeys {
  constructor(readonly oldestInUse: string) {}
}

/** What the former key of a server signs when another takes its place: who knows the former can trust the new one. */
export const keySuccessionText = (serverId: string, previousPublicKey: string, publicKey: string): Buffer =>
  Buffer.from(`odst server key\n${serverId}\n${previousPublicKey}\n${publicKey}`);
