/** Tell a peer of our last key, if it does not know it. Does nothing for a peer that is suspended or gone. */
export class AnnounceKey {
  constructor(readonly peerId: string) {}
}
