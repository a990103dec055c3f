/** Goes on with a suspended peer from where it was left. Result: Receipt. */
export class ResumePeer {
  constructor(readonly peerId: string) {}
}
