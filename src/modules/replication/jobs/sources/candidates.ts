import { mayTakeFrom } from '../../../../kernel/peer-policy/peer-policy.js';
import type { PeerContact } from '../../../../ports/peer-directory.port.js';
import type { FetchPlan, PlannedHolder } from '../../commands/progress/plan-fetch.command.js';

/** A peer that chunks of a package may be asked of. */
export interface Candidate extends PlannedHolder {
  readonly contact: PeerContact;
}

/**
 * Of the peers that should have a package, those that may be asked now: registered, not suspended, by their policy, and
 * not known to lack it.
 */
export function selectCandidates(
  { holders }: Pick<FetchPlan, 'holders'>,
  contacts: ReadonlyMap<string, PeerContact>,
  lacks: (holder: PlannedHolder) => boolean,
  now: Date,
): readonly Candidate[] {
  return holders.flatMap((holder) => {
    const contact = contacts.get(holder.peerId);
    const mayBeAsked = contact && !contact.suspended && mayTakeFrom(contact.policy, now).may && !lacks(holder);
    return mayBeAsked ? [{ ...holder, contact }] : [];
  });
}
