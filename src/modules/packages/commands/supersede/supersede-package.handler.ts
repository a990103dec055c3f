import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PackageWriter } from '../package-writer.js';
import { SupersedePackage } from './supersede-package.command.js';

@CommandHandler(SupersedePackage)
export class SupersedePackageHandler implements ICommandHandler<SupersedePackage> {
  constructor(private readonly packages: PackageWriter) {}

  async execute({ packageId, by }: SupersedePackage): Promise<void> {
    await this.packages.runCommand(packageId, { type: 'supersede', by });
  }
}
