import { Injectable } from '@nestjs/common';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { replica } from './replica.decider.js';

/** The files of replicas that are no longer wanted. */
@Injectable()
export class ReplicaFiles {
  private readonly packages;

  constructor(
    store: EventStore,
    private readonly runner: CommandRunner,
    private readonly storage: PackageStorage,
    private readonly locks: Locks,
  ) {
    this.packages = new StreamReader(store, knownPackage);
  }

  /** Removes what was fetched and what is served, unless it is wanted again or was uploaded here. */
  async removeUnwanted(packageId: string): Promise<void> {
    await this.whileLocked(packageId, async () => {
      await this.storage.discardReplica(packageId);
      await this.storage.remove(packageId, () => this.isUnwanted(packageId));
    });
  }

  /** Removes what was fetched so far; a whole file stays for its grace time. */
  async discardReplicaFile(packageId: string): Promise<void> {
    await this.storage.discardReplica(packageId);
  }

  /** Records that a replica is there, if its whole file is and has the right digest; what was fetched is not needed then. */
  async adoptFile(packageId: string, sha256: string, record: () => Promise<unknown>): Promise<void> {
    await this.whileLocked(packageId, async () => {
      if ((await this.storage.digest(packageId)) !== sha256) return;
      await record();
      await this.storage.discardReplica(packageId);
    });
  }

  async hasFile(packageId: string): Promise<boolean> {
    const file = await this.storage.open(packageId);
    file?.close();
    return file !== null;
  }

  /** What is adopted must not be deleted between the look at its digest and the record. */
  private async whileLocked(packageId: string, work: () => Promise<void>): Promise<void> {
    await this.locks.hold(`file ${packageId}`, new AbortController().signal, work);
  }

  private async isUnwanted(packageId: string): Promise<boolean> {
    const { status } = await this.runner.load(replica, packageId);
    const { uploadedAt } = await this.packages.load(packageId);
    return (status === 'withdrawn' || status === 'none') && uploadedAt === null;
  }
}
