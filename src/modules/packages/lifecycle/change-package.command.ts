import { Command, CommandHandler, type ICommandHandler, QueryBus } from '@nestjs/cqrs';
import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentAuthority } from '../../../platform/runtime/call-context.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { type PackageFacts, registerStamps } from '../contracts/package-facts.js';
import { stampToFollow } from '../contracts/filename-date.js';
import { FilenameHoldersQuery, NamesakesQuery } from '../contracts/package-queries.js';
import { FactSigner } from '../facts/fact-signer.js';
import { PackageWriter } from './package-writer.js';
import { requireMayPromote, requireMayRemove, requireMayReplaceByPromotion } from './publishing-limits.js';

/** The stamps that a change of a package has to follow: those of its registers, and of the date that its filename shows. */
async function stampsBefore(
  facts: PackageFacts | null,
  queries: QueryBus,
  clock: Clock,
): Promise<readonly (Stamp | null)[]> {
  if (!facts) return [];
  const namesakes = await queries.execute(new NamesakesQuery(facts.filename));
  return [...registerStamps(facts), stampToFollow(facts.packageId, namesakes, clock.now())];
}

/** Promotes or demotes a package on every server. Refusals: PACKAGE_NOT_FOUND, FORBIDDEN. */
export class SetPackageStage extends Command<Receipt> {
  constructor(
    readonly packageId: string,
    readonly stage: Stage,
  ) {
    super();
  }
}

@CommandHandler(SetPackageStage)
export class SetPackageStageHandler implements ICommandHandler<SetPackageStage> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly queries: QueryBus,
    private readonly identity: ServerIdentity,
    private readonly clock: Clock,
    private readonly signer: FactSigner,
  ) {}

  async execute({ packageId, stage }: SetPackageStage): Promise<Receipt> {
    const { facts } = await this.packages.loadPackage(packageId);
    requireMayPromote(currentAuthority(), facts, stage);
    if (facts) await this.requireReplaceable(facts, stage);
    const stamp = this.clock.hybrid.nextStamp(await stampsBefore(facts, this.queries, this.clock));
    const proof = facts ? { proof: this.signer.signStage(facts, stage, stamp) } : {};
    const command = { type: 'setStage', stage, stamp, ...proof } as const;
    return (await this.packages.runCommand(packageId, command)).receipt;
  }

  private async requireReplaceable(facts: PackageFacts, stage: Stage): Promise<void> {
    const holders = await this.queries.execute(new FilenameHoldersQuery(facts.filename));
    requireMayReplaceByPromotion(currentAuthority(), facts, holders, stage, this.identity.serverId);
  }
}

/** Removes a package from every server. Its file is deleted soon after. Refusals: PACKAGE_NOT_FOUND, FORBIDDEN. */
export class RemovePackage extends Command<Receipt> {
  constructor(readonly packageId: string) {
    super();
  }
}

@CommandHandler(RemovePackage)
export class RemovePackageHandler implements ICommandHandler<RemovePackage> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly queries: QueryBus,
    private readonly clock: Clock,
    private readonly identity: ServerIdentity,
    private readonly signer: FactSigner,
  ) {}

  async execute({ packageId }: RemovePackage): Promise<Receipt> {
    const { facts } = await this.packages.loadPackage(packageId);
    requireMayRemove(currentAuthority(), facts, this.identity.serverId);
    const stamp = this.clock.hybrid.nextStamp(await stampsBefore(facts, this.queries, this.clock));
    const proof = facts ? { proof: this.signer.signRemoval(facts, stamp) } : {};
    const command = { type: 'remove', stamp, ...proof } as const;
    return (await this.packages.runCommand(packageId, command)).receipt;
  }
}
