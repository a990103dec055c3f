import { Injectable } from '@nestjs/common';
import { mayTakeFrom, takesFrom } from '../../../kernel/peer-policy/peer-policy.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import type { FetchPlan } from '../commands/progress/plan-fetch.command.js';
import { outsideWindow } from './outside-window.js';

/** No registered peer is known to have the package. */
export class NoSource extends Error {}

/** Chooses whom to fetch from. */
@Injectable()
export class Sources {
  constructor(private readonly directory: PeerDirectory) {}

  /** The peer it was asked of at first, then in turn all that reported the package. @throws NoSource, OutsideWindow */
  async pick({ filename, holders }: FetchPlan, attempt: number): Promise<PeerContact> {
    const contacts = await Promise.all(holders.map(({ peerId }) => this.directory.find(peerId)));
    const now = new Date();
    const wanted = contacts.filter((contact) => contact !== null).filter(({ suspended, policy }) => !suspended && takesFrom(policy));
    const usable = wanted.filter(({ policy }) => mayTakeFrom(policy, now).may);
    const picked = usable[(attempt - 1) % Math.max(1, usable.length)];
    if (!picked) throw outsideWindow(wanted, now) ?? new NoSource(`No registered server from which this one takes packages is known to have ${filename}. It goes on once one has it; uploading the same file here puts it right at once.`);
    return picked;
  }
}
