/** What is known of servers that have the same id and key, because one is a copy of the other. */
export abstract class SharedIds {
  /** Notes that two servers were met under the id of a peer, and where. It shows among the problems, and in the log. */
  abstract note(peer: { readonly peerId: string; readonly name: string }, where: string): void;
}

export const COPY_ADVICE =
  'One of the two is a copy of the other, and needs an identity of its own: see docs/how-to/connect-servers.md.';
