import { Injectable } from '@nestjs/common';
import { CommandRunner } from '../../../platform/cqrs/command-runner.js';
import { StreamReader } from '../../../platform/cqrs/stream-reader.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { replica } from '../domain/replica.decider.js';

/** The files of replicas that are no longer wanted. */
@Injectable()
export class ReplicaFiles {
  private readonly packages;

  constructor(
    store: EventStore,
    private readonly runner: CommandRunner,
    private readonly storage: PackageStorage,
  ) {
    this.packages = new StreamReader(store, knownPackage);
  }

  /** Removes what was fetched. */
  unreserve(packageId: string): Promise<void> {
    return this.storage.unreserve(packageId);
  }

  /** Removes what was fetched and what is served, unless it is wanted again or was uploaded here. */
  async forget(packageId: string): Promise<void> {
    await this.storage.unreserve(packageId);
    await this.storage.remove(packageId, () => this.isUnwanted(packageId));
  }

  private async isUnwanted(packageId: string): Promise<boolean> {
    const { status } = await this.runner.load(replica, packageId);
    const { uploadedAt } = await this.packages.load(packageId);
    return status === 'withdrawn' && uploadedAt === null;
  }
}
