import { Injectable } from '@nestjs/common';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import type { FetchPlan } from '../commands/progress/plan-fetch.command.js';

/** No registered peer is known to have the package. */
export class NoSource extends Error {}

/** Chooses whom to fetch from. */
@Injectable()
export class Sources {
  constructor(private readonly directory: PeerDirectory) {}

  /** The peer it was asked of at first, then in turn all that reported the package. @throws NoSource */
  async pick({ filename, holders }: FetchPlan, attempt: number): Promise<PeerContact> {
    const contacts = await Promise.all(holders.map(({ peerId }) => this.directory.find(peerId)));
    const usable = contacts.filter((contact) => contact !== null && !contact.suspended);
    const picked = usable[(attempt - 1) % Math.max(1, usable.length)];
    if (!picked) throw new NoSource(`No registered server that is not suspended is known to have ${filename}. It goes on once one has it; uploading the same file here puts it right at once.`);
    return picked;
  }
}
