import { Injectable } from '@nestjs/common';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { Locks } from '../../../ports/locks.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { replica } from './replica.decider.js';
import type { FoundFile } from './review-replica.decider.js';

/** Looks for the files of replicas, and removes those that are no longer wanted. */
@Injectable()
export class ReplicaFiles {
  constructor(
    private readonly streams: StreamReader,
    private readonly runner: CommandRunner,
    private readonly storage: PackageStorage,
    private readonly locks: Locks,
  ) {}

  /** Looks whether the published file exists. */
  async findFile(packageId: string): Promise<FoundFile> {
    const file = await this.storage.openStored(packageId);
    file?.close();
    return file ? 'present' : 'missing';
  }

  /** Reads the whole published file and compares its SHA-256 (lower-case hex). */
  async compareFile(packageId: string, sha256: string): Promise<FoundFile> {
    const found = await this.storage.digestStored(packageId);
    if (found === null) return 'missing';
    return found === sha256 ? 'whole' : 'different';
  }

  /** Removes what was fetched so far; a published file stays. */
  discardReplicaFile(packageId: string): Promise<void> {
    return this.storage.discardReplica(packageId);
  }

  /** Removes what was fetched and what is published, unless the package is wanted again or was uploaded here. */
  async removeUnwanted(packageId: string): Promise<void> {
    await this.whileLocked(packageId, async () => {
      await this.storage.discardReplica(packageId);
      await this.storage.removeStored(packageId, () => this.isUnwanted(packageId));
    });
  }

  /** Does the work while no process of this server removes the file. `removeUnwanted` waits, so the work must not call it. */
  async whileLocked(packageId: string, work: () => Promise<void>): Promise<void> {
    await this.locks.hold(`file ${packageId}`, work);
  }

  private async isUnwanted(packageId: string): Promise<boolean> {
    const { status } = await this.runner.load(replica, packageId);
    const { uploadedAt } = await this.streams.load(knownPackage, packageId);
    return (status === 'withdrawn' || status === 'none') && uploadedAt === null;
  }
}
