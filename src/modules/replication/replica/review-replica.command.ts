import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { knownPackage, type KnownPackage } from '../../packages/contracts/known-package.js';
import type { PackageFacts } from '../../packages/contracts/package-facts.js';
import { ourReplica, type OurReplica } from './our-replica.js';
import { ReplicaFiles } from './replica-files.js';
import { replica } from './replica.decider.js';
import {
  fileQuestion,
  type PeerReport,
  type ReviewFacts,
  reviewReplica,
  type ReviewStep,
} from './review-replica.decider.js';

/**
 * Makes this server's copy of a package what it should be now: requests one, withdraws it, or leaves it as it is. Send
 * it again after anything that may matter; a repetition changes nothing.
 */
export class ReviewReplica extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly report: PeerReport | null = null,
  ) {
    super();
  }
}

/** Collects the facts that the review needs, and carries out its decision. */
@CommandHandler(ReviewReplica)
export class ReviewReplicaHandler implements ICommandHandler<ReviewReplica> {
  constructor(
    private readonly store: EventStore,
    private readonly streams: StreamReader,
    private readonly runner: CommandRunner,
    private readonly identity: ServerIdentity,
    private readonly files: ReplicaFiles,
  ) {}

  async execute({ packageId, report }: ReviewReplica): Promise<void> {
    const known = await this.streams.load(knownPackage, packageId);
    const { facts: packageFacts } = known;
    if (!packageFacts) return;
    const our = await this.streams.load(ourReplica, packageId);
    const facts = this.collectFacts(packageFacts, known, our);
    const question = fileQuestion(facts, our.state);
    if (question !== 'digest') {
      const file = question === 'presence' ? await this.files.findFile(packageId) : 'unseen';
      return this.carryOut(packageId, reviewReplica(facts, our.state, report, file));
    }
    // An adopted file must not be deleted between the look at its digest and the record.
    await this.files.whileLocked(packageId, async () => {
      const file = await this.files.compareFile(packageId, packageFacts.sha256);
      await this.carryOut(packageId, reviewReplica(facts, our.state, report, file));
    });
  }

  private collectFacts(
    facts: PackageFacts,
    { uploadedAt, removedCursor }: KnownPackage,
    { requestedCursor }: OurReplica,
  ): ReviewFacts {
    return {
      facts,
      ownStage: this.identity.stage,
      isUploaded: uploadedAt !== null,
      wasRemoved: removedCursor !== null,
      isRequestedBeforeRemoval: this.store.compareCursors(requestedCursor, removedCursor) < 0,
    };
  }

  private async carryOut(packageId: string, steps: readonly ReviewStep[]): Promise<void> {
    for (const { command, files } of steps) {
      const hasChanged = command === null || (await this.runner.run(replica, packageId, command)).events.length > 0;
      if (hasChanged && files === 'discardFetched') await this.files.discardReplicaFile(packageId);
      if (hasChanged && files === 'removeAll') await this.files.removeUnwanted(packageId);
    }
  }
}
