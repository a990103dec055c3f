import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../platform/clock/clock.js';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';
import { PackageWriter } from './package-writer.js';
import { RemovePackage } from './remove-package.command.js';

@CommandHandler(RemovePackage)
export class RemovePackageHandler implements ICommandHandler<RemovePackage> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly clock: Clock,
  ) {}

  async execute({ packageId }: RemovePackage): Promise<Receipt> {
    await this.packages.load(packageId);
    const command = { type: 'remove', stamp: this.clock.hybrid.now() } as const;
    return (await this.packages.run(packageId, command)).receipt;
  }
}
