import { Injectable } from '@nestjs/common';
import { CommandRunner } from '../../../../platform/cqrs/command-runner.js';
import { StreamReader } from '../../../../platform/cqrs/stream-reader.js';
import { EventStore } from '../../../../ports/event-store.port.js';
import { knownPackage } from '../../../packages/contracts/known-package.js';
import { isRemoved, type PackageFacts } from '../../../packages/contracts/package-facts.js';
import { replica } from '../../domain/replica.decider.js';
import type { HeldPackage } from './plan-verification.command.js';

/** Which packages' files belong on our disk, by the log. */
@Injectable()
export class HeldPackages {
  private readonly packages;

  constructor(
    store: EventStore,
    private readonly runner: CommandRunner,
  ) {
    this.packages = new StreamReader(store, knownPackage);
  }

  /** Null when it is not held, or no longer. */
  async findHeld(packageId: string): Promise<(HeldPackage & { readonly facts: PackageFacts }) | null> {
    const { facts, uploadedAt } = await this.packages.load(packageId);
    const { status, round } = await this.runner.load(replica, packageId);
    if (!facts || isRemoved(facts) || (uploadedAt === null && status !== 'published')) return null;
    const { filename, size, chunkCount } = facts;
    return { packageId, filename, size, chunkCount, uploadedAt, round, facts };
  }
}
