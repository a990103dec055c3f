import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PackageStorage } from '../../../../ports/package-storage.port.js';
import { isRemoved } from '../../contracts/package-facts.js';
import { PackageWriter } from '../package-writer.js';
import { DeleteRemovedFile } from './delete-removed-file.command.js';

@CommandHandler(DeleteRemovedFile)
export class DeleteRemovedFileHandler implements ICommandHandler<DeleteRemovedFile> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly storage: PackageStorage,
  ) {}

  async execute({ packageId }: DeleteRemovedFile): Promise<void> {
    const gone = async (): Promise<boolean> => {
      const { facts } = await this.packages.loadPackage(packageId);
      return facts !== null && isRemoved(facts);
    };
    if (await gone()) await this.storage.remove(packageId, gone);
  }
}
