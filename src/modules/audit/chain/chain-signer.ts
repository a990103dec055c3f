import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { digestCheckpoint, checkpointBytes, type Checkpoint, type UnsignedCheckpoint } from './checkpoint.js';
import { readLastLink, readPlace } from './chain-table.js';
import { addCheckpoint, readLastCheckpoint } from './checkpoint-table.js';

/** Shortest time between two log lines about checkpoints when there are many entries. */
const LOG_INTERVAL_MS = 10_000;

/** Signs checkpoints of the chain. */
@Injectable()
export class ChainSigner {
  private readonly logger = new Logger('Audit');
  private lastSigning: Promise<unknown> = Promise.resolve();
  private lastLogged = { sequence: 0, at: 0 };

  constructor(
    private readonly dataSource: DataSource,
    @Inject(ServerIdentity) private readonly identity: Pick<ServerIdentity, 'serverId' | 'publicKey' | 'sign'>,
  ) {}

  /** Signs a checkpoint over all entries, one call after the other. Null when there are no new entries. */
  signCheckpoint(): Promise<Checkpoint | null> {
    const signed = this.lastSigning.then(() => this.signNewEntries());
    this.lastSigning = signed.catch(() => undefined);
    return signed;
  }

  /** Writes a checkpoint to the log, which is usually stored outside the database. */
  logCheckpoint(checkpoint: Checkpoint | null, always = false): void {
    if (!checkpoint || checkpoint.sequence <= this.lastLogged.sequence) return;
    if (!always && Date.now() - this.lastLogged.at < LOG_INTERVAL_MS) return;
    this.lastLogged = { sequence: checkpoint.sequence, at: Date.now() };
    this.logger.log(`Checkpoint of the audit trail: ${JSON.stringify(checkpoint)}`);
  }

  /** A new key signs from the current entry on. Verification accepts every key that the chain names. */
  private async signNewEntries(): Promise<Checkpoint | null> {
    const before = await readLastCheckpoint(this.dataSource);
    const [place, end] = [await readPlace(this.dataSource), await readLastLink(this.dataSource)];
    if (
      !place ||
      place.cursor === null ||
      end.number !== place.number ||
      end.number <= (before?.checkpoint.number ?? 0)
    )
      return null;
    const checkpoint = this.addSignature({
      serverId: this.identity.serverId,
      sequence: (before?.checkpoint.sequence ?? 0) + 1,
      number: end.number,
      hash: end.hash,
      at: new Date().toISOString(),
      key: this.identity.publicKey,
      previous: digestCheckpoint(before?.checkpoint ?? null),
    });
    await addCheckpoint(this.dataSource, { checkpoint, epoch: place.epoch, cursor: place.cursor });
    return checkpoint;
  }

  private addSignature(checkpoint: UnsignedCheckpoint): Checkpoint {
    const signature = this.identity.sign(checkpointBytes(checkpoint), checkpoint.key);
    return { ...checkpoint, signature: Buffer.from(signature).toString('base64url') };
  }
}
