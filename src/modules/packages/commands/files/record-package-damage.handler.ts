import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { RecordPackageDamage } from '../../contracts/record-package-damage.js';
import { PackageWriter } from '../package-writer.js';

@CommandHandler(RecordPackageDamage)
export class RecordPackageDamageHandler implements ICommandHandler<RecordPackageDamage> {
  constructor(private readonly packages: PackageWriter) {}

  async execute({ packageId, publication, damagedChunks, missing }: RecordPackageDamage): Promise<void> {
    await this.packages.runCommand(packageId, { type: 'damage', publication, damagedChunks, missing });
  }
}
