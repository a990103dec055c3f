import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../platform/clock/clock.js';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';
import { currentAuthority } from '../../../platform/context/call-context.js';
import { requireMayPromote } from './publishing-limits.js';
import { PackageWriter } from './package-writer.js';
import { SetPackageStage } from './set-package-stage.command.js';

@CommandHandler(SetPackageStage)
export class SetPackageStageHandler implements ICommandHandler<SetPackageStage> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly clock: Clock,
  ) {}

  async execute({ packageId, stage }: SetPackageStage): Promise<Receipt> {
    const { facts } = await this.packages.loadPackage(packageId);
    requireMayPromote(currentAuthority(), facts, stage);
    const command = { type: 'setStage', stage, stamp: this.clock.hybrid.now() } as const;
    return (await this.packages.runCommand(packageId, command)).receipt;
  }
}
