/** Changes the name or address under which we know a peer; what is left out stays. Result: Receipt. */
export class UpdatePeer {
  constructor(
    readonly peerId: string,
    readonly to: { readonly name?: string; readonly url?: string },
  ) {}
}
