import { Refusal } from '../../../kernel/errors.js';
import { findFilenameFault } from '../../../kernel/input-text.js';
import type { Stage } from '../../../kernel/stage.js';

/** What another server may do to the packages of this one. It is judged here, whatever that server allows itself. */
export interface PeerRights {
  /** The last stage to which it may publish and promote packages. It cannot change a package that is in a later stage here. */
  readonly publishUpTo: Stage;
  /** Patterns of the filenames that it may publish and change. Every filename when there is none. */
  readonly filenames: readonly string[];
  /** True when it may publish under a filename, or publish a package again, that another server has published. */
  readonly mayTakeOver: boolean;
  /** True when it may promote, demote and remove packages that another server has published. */
  readonly mayChangeOthers: boolean;
}

/** A change of rights. What is left out stays as it is. */
export type RightsChange = { readonly [Right in keyof PeerRights]?: PeerRights[Right] | undefined };

/** The rights of a peer for which nobody has set any: people publish and promote on any server. */
export const ALL_RIGHTS: PeerRights = { publishUpTo: 'Prod', filenames: [], mayTakeOver: true, mayChangeOthers: true };

/** The rights of peers on this server, in memory and up to date in every process. */
export abstract class RightsOfPeers {
  /** The rights of a server that is registered here, also while it is suspended; null for any other server. */
  abstract rightsOf(serverId: string): PeerRights | null;

  /** The rights that a server has or last had here; all rights when it was never registered. */
  abstract lastRightsOf(serverId: string): PeerRights;
}

/** True when nothing is refused to a server with these rights. */
export const hasAllRights = ({ publishUpTo, filenames, mayTakeOver, mayChangeOthers }: PeerRights): boolean =>
  publishUpTo === 'Prod' && filenames.length === 0 && mayTakeOver && mayChangeOthers;

/** True when both mean the same. */
export const isSameRights = (a: PeerRights, b: PeerRights): boolean =>
  a.publishUpTo === b.publishUpTo &&
  a.mayTakeOver === b.mayTakeOver &&
  a.mayChangeOthers === b.mayChangeOthers &&
  a.filenames.join('/') === b.filenames.join('/');

const MAX_PATTERNS = 100;

/** Returns the rights after a change. @throws Refusal INVALID_REQUEST when a pattern of filenames cannot be used */
export function applyRightsChange(rights: PeerRights, change: RightsChange): PeerRights {
  const { publishUpTo, filenames, mayTakeOver, mayChangeOthers } = change;
  return {
    publishUpTo: publishUpTo ?? rights.publishUpTo,
    filenames: filenames ? checkedPatterns(filenames) : rights.filenames,
    mayTakeOver: mayTakeOver ?? rights.mayTakeOver,
    mayChangeOthers: mayChangeOthers ?? rights.mayChangeOthers,
  };
}

/** Returns each pattern once, in Unicode normal form C, as filenames are. @throws Refusal INVALID_REQUEST */
function checkedPatterns(patterns: readonly string[]): readonly string[] {
  if (patterns.length > MAX_PATTERNS)
    throw new Refusal('INVALID_REQUEST', `There may be at most ${MAX_PATTERNS} patterns of filenames.`);
  const normal = patterns.map((pattern) => pattern.normalize('NFC'));
  for (const pattern of normal) {
    // What no filename can contain would only look like a limit.
    const fault = findFilenameFault(pattern);
    if (fault !== null) throw new Refusal('INVALID_REQUEST', `A pattern of filenames ${fault}.`);
  }
  return [...new Set(normal)];
}

/** True when the rights are for this filename (in Unicode normal form C). */
export const coversFilename = ({ filenames }: PeerRights, filename: string): boolean =>
  filenames.length === 0 || filenames.some((pattern) => matchesPattern(pattern, filename));

/**
 * True when a pattern matches the whole text: `*` stands for any characters, also for none, and `?` for one. It takes
 * time in proportion to the lengths of both at most, whatever the pattern is.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const [wanted, given] = [[...pattern], [...text]];
  let [at, read] = [0, 0];
  // Where the last star is, and up to where it reaches. It is enough to lengthen the last star.
  let [star, reached] = [-1, 0];
  while (read < given.length) {
    // A star of the pattern is never a letter, even where the filename has a star.
    if (wanted[at] === '*') {
      [star, reached] = [at, read];
      at += 1;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[read])) {
      at += 1;
      read += 1;
    } else if (star >= 0) {
      reached += 1;
      [at, read] = [star + 1, reached];
    } else return false;
  }
  return wanted.slice(at).every((character) => character === '*');
}

/** What these rights allow, as the end of a sentence. */
export function describeRights({ publishUpTo, filenames, mayTakeOver, mayChangeOthers }: PeerRights): string {
  const which = filenames.length === 0 ? 'every filename' : `filenames like ${filenames.join(', ')}`;
  const others = mayTakeOver ? 'it may take over filenames' : 'it takes over no filenames';
  const changes = mayChangeOthers ? 'it may change what' : 'it changes nothing that';
  return `up to the stage ${publishUpTo}; ${which}; ${others} of other servers; ${changes} other servers published`;
}
