import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../platform/clock/clock.js';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';
import { currentAuthority } from '../../../platform/context/call-context.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { requireMayRemove } from './publishing-limits.js';
import { PackageWriter } from './package-writer.js';
import { RemovePackage } from './remove-package.command.js';

@CommandHandler(RemovePackage)
export class RemovePackageHandler implements ICommandHandler<RemovePackage> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly clock: Clock,
    private readonly identity: ServerIdentity,
  ) {}

  async execute({ packageId }: RemovePackage): Promise<Receipt> {
    const { facts } = await this.packages.loadPackage(packageId);
    requireMayRemove(currentAuthority(), facts, this.identity.serverId);
    const command = { type: 'remove', stamp: this.clock.hybrid.now() } as const;
    return (await this.packages.runCommand(packageId, command)).receipt;
  }
}
