import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { LRUCache } from 'lru-cache';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { type Introduction, introductionText, type KeySuccession } from '../../../kernel/introduction.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { keySuccessionText } from '../../server/contracts/server-keys.js';
import { LearnSigners, NoteSigning } from '../contracts/signers.js';
import { LiveSignerKeys } from './live-signer-keys.js';
import { signer, type SignerCommand } from './signer.decider.js';

/** Introductions that were handled and need no second look, because a feed repeats them with each item. */
const MAX_REMEMBERED = 1_000;

/** Of these successions of keys of a server, those whose proof is a signature by the previous key. */
export const provenSuccessions = (serverId: string, successions: readonly KeySuccession[]): readonly KeySuccession[] =>
  successions.filter(({ previousPublicKey, publicKey, proof }) =>
    verifyEd25519(
      previousPublicKey,
      keySuccessionText(serverId, previousPublicKey, publicKey),
      Buffer.from(proof, 'base64url'),
    ),
  );

@CommandHandler(LearnSigners)
export class LearnSignersHandler implements ICommandHandler<LearnSigners> {
  private readonly handled = new LRUCache<string, true>({ max: MAX_REMEMBERED });

  constructor(
    private readonly runner: CommandRunner,
    private readonly views: LiveViews,
    private readonly keys: LiveSignerKeys,
    private readonly identity: ServerIdentity,
  ) {}

  async execute({ introductions }: LearnSigners): Promise<void> {
    for (const introduction of introductions) {
      const { serverId, introducedBy, signature } = introduction;
      if (serverId === this.identity.serverId || this.handled.has(signature)) continue;
      await this.learnKeys(introduction);
      // It may become trusted later, when the introducing server has announced its new key.
      if (!this.isTrusted(introduction)) continue;
      this.handled.set(signature, true);
      if (introducedBy === serverId) this.keys.noteSelfIntroduction(introduction);
    }
  }

  private async learnKeys(introduction: Introduction): Promise<void> {
    const { serverId, name, keys, introducedBy } = introduction;
    const known = this.keys.keysOf(serverId);
    if (keys.every((key) => known.includes(key))) return;
    const { receipt } = await this.runner.run(signer, serverId, {
      type: 'introduce',
      as: {
        serverId,
        name,
        keys,
        successions: provenSuccessions(serverId, introduction.successions),
        introducedBy: { serverId: introducedBy, name: this.keys.nameOf(introducedBy) ?? introducedBy },
        trusted: this.isTrusted(introduction),
        otherKeys: known,
      },
    });
    await this.views.reflect(receipt);
  }

  /** Whether a key that is known for the introducing server has signed the introduction. */
  private isTrusted(introduction: Introduction): boolean {
    const { introducedBy, publicKey, signature } = introduction;
    if (this.keys.statusOf(introducedBy, publicKey, Date.now()) !== 'known') return false;
    return verifyEd25519(publicKey, introductionText(introduction), Buffer.from(signature, 'base64url'));
  }
}

@CommandHandler(NoteSigning)
export class NoteSigningHandler implements ICommandHandler<NoteSigning> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly views: LiveViews,
  ) {}

  async execute({ serverId, stamp }: NoteSigning): Promise<void> {
    const command: SignerCommand = { type: 'noteSigning', serverId, stamp };
    const { receipt }: { receipt: Receipt } = await this.runner.run(signer, serverId, command);
    await this.views.reflect(receipt);
  }
}
