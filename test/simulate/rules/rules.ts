/**
 * What a server does with one package, as far as its peers can see. Changes of the package are known by their numbers,
 * from 1 in the order of their stamps.
 */
export interface Rules {
  /** A user changes the package here. */
  perform(server: number, change: number): void;
  /** An item arrives on a feed. */
  receive(server: number, edge: number, item: number): void;
  /** All bytes are here and verified. */
  fetched(server: number): void;
  /** What the server's feed would tell of the package now; 0 when it knows nothing of it. */
  itemOf(server: number): number;
  /** Is a copy wanted whose bytes are not here yet? */
  isPending(server: number): boolean;
  /** Has the follower heard from its peer on this feed that it holds the package? */
  isHolder(edge: number): boolean;
}

/** What rules tell the world. */
export interface Outlet {
  /** Something went into the server's log that the feed looks at. `news`: peers must hear it even if nothing is held. */
  recorded(server: number, news: boolean): void;
  /** The server wants the bytes. */
  wanted(server: number): void;
  /** The server no longer wants the bytes that it may be fetching. */
  unwanted(server: number): void;
}

/** A feed item in one number: four registers of five bits and whether the sender holds the package. */
export const pack = (publication: number, stage: number, removal: number, first: number, held: boolean): number =>
  publication | (stage << 5) | (removal << 10) | (first << 15) | (held ? 1 << 20 : 0);

export const publicationIn = (item: number): number => item & 31;
export const stageIn = (item: number): number => (item >> 5) & 31;
export const removalIn = (item: number): number => (item >> 10) & 31;
export const firstIn = (item: number): number => (item >> 15) & 31;
export const isHeld = (item: number): boolean => (item & (1 << 20)) !== 0;
export const registersIn = (item: number): number => item & ((1 << 20) - 1);
