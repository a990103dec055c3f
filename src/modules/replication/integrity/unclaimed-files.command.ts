import { Command, CommandHandler, type ICommandHandler, type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { FactsLog } from '../../../platform/eventsourcing/command-runner.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { PackageStorage, type UnclaimedFile } from '../../../ports/package-storage.port.js';
import { MAX_NAMED_FILES, storageEvents, type UnclaimedFilesDeleted } from '../contracts/storage.events.js';

/** A file that nothing claims, with the time at which it may be deleted. */
export interface ShownUnclaimedFile extends UnclaimedFile {
  readonly deletedAfter: Date;
}

/** All files that nothing claims, the earliest first. */
export class UnclaimedFilesQuery extends Query<readonly ShownUnclaimedFile[]> {}

@QueryHandler(UnclaimedFilesQuery)
export class UnclaimedFilesHandler implements IQueryHandler<UnclaimedFilesQuery> {
  constructor(
    private readonly storage: PackageStorage,
    private readonly settings: Settings,
  ) {}

  async execute(): Promise<readonly ShownUnclaimedFile[]> {
    const files = await this.storage.unclaimed.list();
    const { unclaimedKeepMs } = this.settings;
    return files.map((file) => ({ ...file, deletedAfter: new Date(file.since.getTime() + unclaimedKeepMs) }));
  }
}

/** Deletes files that nothing claims, and records that before. Names of other files are left out. Gives what is deleted. */
export class DeleteUnclaimedFiles extends Command<{ readonly count: number; readonly size: number }> {
  constructor(
    readonly names: readonly string[],
    readonly reason: UnclaimedFilesDeleted['data']['reason'],
  ) {
    super();
  }
}

@CommandHandler(DeleteUnclaimedFiles)
export class DeleteUnclaimedFilesHandler implements ICommandHandler<DeleteUnclaimedFiles> {
  constructor(
    private readonly storage: PackageStorage,
    private readonly log: FactsLog,
  ) {}

  /** The event comes first, so that no file goes that the audit trail does not tell of. */
  async execute({ names, reason }: DeleteUnclaimedFiles): Promise<{ readonly count: number; readonly size: number }> {
    const wanted = new Set(names);
    const files = (await this.storage.unclaimed.list()).filter(({ name }) => wanted.has(name));
    const found = files.map(({ name }) => name);
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (found.length === 0) return { count: 0, size };
    const data = { reason, count: found.length, size, names: found.slice(0, MAX_NAMED_FILES) };
    await this.log.append('storage', storageEvents, { type: 'UnclaimedFilesDeleted', data });
    await this.storage.unclaimed.remove(found);
    return { count: found.length, size };
  }
}
