/** What the new key of a server signs for one peer: that it belongs to this server, and that this peer may record it. */
export const keyProofText = (serverId: string, peerId: string, publicKey: string, rotation: number): Buffer =>
  Buffer.from(`odst-key-rotation-v1\n${serverId}\n${peerId}\n${publicKey}\n${rotation}`);
