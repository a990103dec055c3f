/** Forgets a peer: its key opens nothing any more. What came from it stays. Result: Receipt. */
export class UnregisterPeer {
  constructor(readonly peerId: string) {}
}
