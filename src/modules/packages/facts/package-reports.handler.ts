import { Logger } from '@nestjs/common';
import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { isStamp, MAX_AHEAD_MS } from '../../../kernel/hybrid-clock.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { RefusalRecord } from '../../../platform/limits/refusal-record.js';
import { packageIdOf } from '../../../platform/runtime/ids.js';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import { NoteSigning } from '../../peers/contracts/signers.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { PackageEvent } from '../contracts/package.events.js';
import { LearnPackage, type LearntPackage, RecordPackageDamage } from '../contracts/package-reports.js';
import { type SignedFact, stampOf } from '../contracts/signed-facts.js';
import { normalizeFilename } from '../lifecycle/filename.js';
import { PackageWriter } from '../lifecycle/package-writer.js';
import { FactRights } from './fact-rights.js';
import { FactTrust } from './fact-trust.js';
import { type JudgedFacts, judgePeerFacts, type RefusedFact } from './judge-peer-facts.js';

/**
 * Checks what a peer tells and merges it into what this server knows.
 * @throws Refusal INVALID_REQUEST, INVALID_FILENAME, PACKAGE_CONFLICT, STAMP_AHEAD
 */
@CommandHandler(LearnPackage)
export class LearnPackageHandler implements ICommandHandler<LearnPackage> {
  private readonly logger = new Logger('Facts');
  private readonly records = new Map<string, RefusalRecord>();

  constructor(
    private readonly packages: PackageWriter,
    private readonly clock: Clock,
    private readonly trust: FactTrust,
    private readonly rights: FactRights,
    private readonly commands: CommandBus,
  ) {}

  async execute(command: LearnPackage): Promise<LearntPackage> {
    const { facts, pages, peer, proofs, authors } = command;
    requireConsistent(facts);
    this.requireTimelyStamps(facts);
    const { packageId } = facts;
    const { facts: ours } = await this.packages.loadPackage(packageId);
    const rights = await this.rights.findApplied(ours, facts, peer.peerId);
    const judged = judgePeerFacts(ours, { facts, proofs, authors }, this.trust, rights);
    if (judged.refused.length > 0) await this.recordRefused(command, judged.refused);
    const isAllowed = judged.refused.every(({ code }) => code !== 'NOT_ALLOWED');
    if (!judged.accepted) return { facts: ours, isAllowed };
    const state = await this.learnAccepted(peer.peerId, judged.accepted, judged, ours ? [] : pages);
    await this.noteSigners(judged.proofs);
    return { facts: state.facts, isAllowed };
  }

  private async learnAccepted(
    peerId: string,
    facts: PackageFacts,
    { proofs, authors }: JudgedFacts,
    pages: LearnPackage['pages'],
  ) {
    const { state } = await this.packages.runWithPages(facts.packageId, pages, (pages) => {
      return { type: 'learn', facts, pages, peerId, authors, proofs };
    });
    return state;
  }

  private async recordRefused({ facts, peer }: LearnPackage, refused: readonly RefusedFact[]): Promise<void> {
    const { packageId, filename } = facts;
    const { peerId, name: peerName } = peer;
    const events: PackageEvent[] = [];
    await this.recordOf(peerId).recordOrCount(async (unrecorded) => {
      // The items that were only counted are told once, and not with each register of this one.
      const data = refused.map((fact, i) => {
        return { packageId, filename, peerId, peerName, ...fact, unrecorded: i === 0 ? unrecorded : 0 };
      });
      events.push(...(await this.packages.runCommand(packageId, { type: 'refuse', refused: data })).events);
    });
    for (const event of events) {
      if (event.type !== 'PackageFactRefused') continue;
      const { register, code, reason } = event.data;
      this.logger.warn(`Refused what ${peerName} told of ${filename} (${register}): ${code}: ${reason}`);
    }
  }

  /** Each peer has a limit of its own, so that a liar can neither fill the log nor hide what another one tells. */
  private recordOf(peerId: string): RefusalRecord {
    const record = this.records.get(peerId) ?? new RefusalRecord(this.logger);
    this.records.set(peerId, record);
    return record;
  }

  /** From now on, what these servers did not sign is refused. */
  private async noteSigners(proofs: readonly SignedFact[]): Promise<void> {
    for (const proof of proofs) {
      const { serverId } = proof.statement;
      if (!this.trust.isNewSigner(proof)) continue;
      await this.commands.execute(new NoteSigning(serverId, stampOf(proof.statement)));
    }
  }

  private requireTimelyStamps({ publication, stageStamp, removal, firstPublishedAt }: PackageFacts): void {
    if (Date.parse(firstPublishedAt) > this.clock.now().getTime() + MAX_AHEAD_MS) throw fromTheFuture();
    for (const stamp of [publication, stageStamp, removal ?? publication]) {
      if (!isStamp(stamp)) throw new Refusal('INVALID_REQUEST', 'The peer sent a malformed time stamp.');
      if (this.clock.hybrid.isTooFarAhead(stamp)) {
        throw fromTheFuture();
      }
    }
  }
}

const fromTheFuture = (): Refusal =>
  new Refusal('STAMP_AHEAD', 'The peer sent a time stamp from the future. Compare the clocks of the servers.');

/** Peers are registered, but what they send becomes the name of a file and a download here, so it is checked. */
function requireConsistent(facts: PackageFacts): void {
  const { filename, sha256, size } = facts;
  const sound =
    normalizeFilename(filename) === filename &&
    packageIdOf(filename, sha256) === facts.packageId &&
    facts.chunkSize === CHUNK_SIZE &&
    facts.chunkCount === Math.ceil(size / CHUNK_SIZE);
  if (!sound) throw new Refusal('INVALID_REQUEST', 'The description of a package by the peer contradicts itself.');
}

@CommandHandler(RecordPackageDamage)
export class RecordPackageDamageHandler implements ICommandHandler<RecordPackageDamage> {
  constructor(private readonly packages: PackageWriter) {}

  async execute({ packageId, publication, damagedChunks, missing }: RecordPackageDamage): Promise<void> {
    await this.packages.runCommand(packageId, { type: 'damage', publication, damagedChunks, missing });
  }
}
