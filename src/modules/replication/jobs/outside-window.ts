import { mayTakeFrom } from '../../../kernel/peer-policy/peer-policy.js';
import { localTime } from '../../../kernel/peer-policy/time-windows.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';

/** All peers that have the package are outside of their time windows. */
export class OutsideWindow extends Error {
  constructor(
    message: string,
    /** When it is worth trying again. */
    readonly opensAt: Date,
  ) {
    super(message);
  }
}

/** The first of these peers to be open again, as an error; null when none of them will be by itself. */
export function findOutsideWindow(peers: readonly PeerContact[], now: Date): OutsideWindow | null {
  const openings = peers.flatMap(({ name, policy }) => {
    const { opensAt } = mayTakeFrom(policy, now);
    return opensAt ? [{ name, opensAt }] : [];
  });
  const [first] = openings.toSorted((a, b) => a.opensAt.getTime() - b.opensAt.getTime());
  if (!first) return null;
  return new OutsideWindow(
    `Nothing is fetched from ${first.name} now. Its time window opens at ${localTime(first.opensAt)}.`,
    first.opensAt,
  );
}
