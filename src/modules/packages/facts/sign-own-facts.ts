import { Injectable, Logger } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { untilAborted } from '../../../platform/runtime/restarting-work.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { knownPackage } from '../contracts/known-package.js';
import { PackageWriter } from '../lifecycle/package-writer.js';
import { UnsignedPackagesQuery } from '../read-model/boot.query.js';
import { FactSigner } from './fact-signer.js';

/** The number of packages that one query returns. */
const BATCH_SIZE = 500;

/** Signs what this server recorded before it signed facts, so that servers which refuse unsigned facts accept it. */
@AsBackgroundTask({
  name: 'signing of earlier facts',
  phase: 'maintain',
  roles: ['all', 'worker'],
  lock: 'sign earlier facts',
})
@Injectable()
export class SignOwnFacts implements BackgroundTask {
  private readonly logger = new Logger('Facts');

  constructor(
    private readonly queries: QueryBus,
    private readonly streams: StreamReader,
    private readonly packages: PackageWriter,
    private readonly signer: FactSigner,
    private readonly identity: ServerIdentity,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const count = await this.signAll(signal);
    if (count > 0) this.logger.log(`Signed what this server had recorded earlier of ${count} packages.`);
    await untilAborted(signal);
  }

  /** Signs one package after the other. A crash in between loses nothing: the next start goes on. */
  private async signAll(signal: AbortSignal): Promise<number> {
    let count = 0;
    for (let after: string | null = null; !signal.aborted;) {
      const query: UnsignedPackagesQuery = new UnsignedPackagesQuery(this.identity.serverId, after, BATCH_SIZE);
      const ids: readonly string[] = await this.queries.execute(query);
      for (const packageId of ids) {
        if (signal.aborted) return count;
        const proofs = this.signer.signOwnRegisters(await this.streams.load(knownPackage, packageId));
        if (proofs.length === 0) continue;
        await this.packages.runCommand(packageId, { type: 'sign', proofs });
        count += 1;
      }
      after = ids.at(-1) ?? null;
      if (after === null) return count;
    }
    return count;
  }
}
