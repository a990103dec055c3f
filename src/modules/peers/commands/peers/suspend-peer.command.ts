/** Stops the exchange with a peer until it is resumed: its calls are refused and it is no longer followed. Result: Receipt. */
export class SuspendPeer {
  constructor(readonly peerId: string) {}
}
