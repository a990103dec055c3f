import { Injectable, Logger } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { pause } from '../../../kernel/retry.js';
import { AsProblemSource, type Problem, type ProblemSource } from '../../../platform/problems/problem-source.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { systemActor, withContext } from '../../../platform/runtime/call-context.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { DeleteUnclaimedFiles, type ShownUnclaimedFile, UnclaimedFilesQuery } from './unclaimed-files.command.js';

const DAY_MS = 24 * 60 * 60_000;
const CHECK_INTERVAL_MS = 60 * 60_000;
/** The deletion is announced so long before, or half of the time that the files are kept, when that is less. */
const ANNOUNCE_BEFORE_MS = 7 * DAY_MS;
/** No file is deleted sooner after its announcement, whatever the clock of this machine did in the meantime. */
const MIN_ANNOUNCED_MS = 12 * 60 * 60_000;
const MAX_EXAMPLES = 10;

const sumOf = (files: readonly ShownUnclaimedFile[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** Deletes the files that nothing has claimed for a long time, and announces that before. */
@AsBackgroundTask({ name: 'unclaimed files', phase: 'maintain', roles: ['all', 'worker'], lock: 'unclaimed files' })
@Injectable()
export class ExpireUnclaimedFiles implements BackgroundTask {
  private readonly logger = new Logger('Storage');

  constructor(
    private readonly queries: QueryBus,
    private readonly commands: CommandBus,
    private readonly storage: PackageStorage,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.check();
      await pause(CHECK_INTERVAL_MS, [signal]);
    }
  }

  /** Announces what is deleted soon, and deletes what was announced before and is due. */
  async check(): Promise<void> {
    const now = this.clock.now().getTime();
    const files = await this.queries.execute(new UnclaimedFilesQuery());
    const aheadMs = Math.min(ANNOUNCE_BEFORE_MS, this.settings.unclaimedKeepMs / 2);
    const isAnnounced = ({ announcedAt }: ShownUnclaimedFile): boolean =>
      announcedAt !== null && now - announcedAt.getTime() >= MIN_ANNOUNCED_MS;
    const due = files.filter((file) => file.deletedAfter.getTime() <= now && isAnnounced(file));
    if (due.length > 0) await this.deleteFiles(due);
    const soon = files.filter((file) => file.announcedAt === null && file.deletedAfter.getTime() - aheadMs <= now);
    if (soon.length > 0) await this.announce(soon);
  }

  private async announce(files: readonly ShownUnclaimedFile[]): Promise<void> {
    const first = new Date(Math.min(...files.map(({ deletedAfter }) => deletedAfter.getTime())));
    this.logger.warn(
      `Unclaimed files are going to be deleted, the first of them after ${first.toISOString()}. Files: ${files.length}, ` +
        `bytes: ${sumOf(files)}. unclaimedFiles lists them. Copy away what you still need, or set ODST_UNCLAIMED_KEEP.`,
    );
    await this.storage.unclaimed.noteAnnounced(files.map(({ name }) => name));
  }

  private async deleteFiles(files: readonly ShownUnclaimedFile[]): Promise<void> {
    const command = new DeleteUnclaimedFiles(
      files.map(({ name }) => name),
      'expired',
    );
    const { count, size } = await withContext({ actor: systemActor('unclaimed files') }, () =>
      this.commands.execute(command),
    );
    this.logger.warn(`Deleted files that nothing had claimed in time. Files: ${count}, bytes: ${size}`);
  }
}

/** Tells of files that nothing claims. */
@AsProblemSource()
@Injectable()
export class UnclaimedFilesProblem implements ProblemSource {
  constructor(private readonly queries: QueryBus) {}

  async findProblems(): Promise<readonly Problem[]> {
    const files = await this.queries.execute(new UnclaimedFilesQuery());
    const [first] = files;
    if (!first) return [];
    const size = sumOf(files);
    return [
      {
        kind: 'FILES_UNCLAIMED',
        what: `Files on the disk belong to no package that this server knows. Files: ${files.length}, bytes: ${size}.`,
        where: 'package storage',
        since: first.since,
        advice:
          'They come back by themselves when their packages are known again, as after the right database is restored or a ' +
          `peer tells of them. Otherwise they are deleted, the first after ${first.deletedAfter.toISOString()}. ` +
          'To delete them now, use deleteUnclaimedFiles.',
        count: files.length,
        examples: files.slice(0, MAX_EXAMPLES).map((file) => `${file.name} (${file.size} bytes)`),
      },
    ];
  }
}
