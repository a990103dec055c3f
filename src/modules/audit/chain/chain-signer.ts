import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { checkpointDigest, signedBytes, type Checkpoint, type UnsignedCheckpoint } from './checkpoint.js';
import { readLastLink, readPlace } from './store/chain-table.js';
import { addCheckpoint, readLastCheckpoint } from './store/checkpoint-table.js';

/** Log lines in a time of many entries, in milliseconds. */
const TOLD_EVERY_MS = 10_000;

/** Signs how far the chain is. */
@Injectable()
export class ChainSigner {
  private readonly logger = new Logger('Audit');
  private last: Promise<unknown> = Promise.resolve();
  private told = { sequence: 0, at: 0 };

  constructor(
    private readonly dataSource: DataSource,
    @Inject(ServerIdentity) private readonly identity: Pick<ServerIdentity, 'serverId' | 'publicKey' | 'sign'>,
  ) {}

  /** A checkpoint over all entries, when there are new ones; null when there are none. One after the other. */
  sign(): Promise<Checkpoint | null> {
    const signed = this.last.then(() => this.signNew());
    this.last = signed.catch(() => undefined);
    return signed;
  }

  /** In the log, which is kept elsewhere than the database as a rule. */
  tell(checkpoint: Checkpoint | null, always = false): void {
    if (!checkpoint || checkpoint.sequence <= this.told.sequence) return;
    if (!always && Date.now() - this.told.at < TOLD_EVERY_MS) return;
    this.told = { sequence: checkpoint.sequence, at: Date.now() };
    this.logger.log(`Checkpoint of the audit trail: ${JSON.stringify(checkpoint)}`);
  }

  /** A changed key signs from the entry on that this process has come to; a reader takes every key that the chain names. */
  private async signNew(): Promise<Checkpoint | null> {
    const before = await readLastCheckpoint(this.dataSource);
    const [place, end] = [await readPlace(this.dataSource), await readLastLink(this.dataSource)];
    if (
      !place ||
      place.cursor === null ||
      end.number !== place.number ||
      end.number <= (before?.checkpoint.number ?? 0)
    )
      return null;
    const checkpoint = this.signed({
      serverId: this.identity.serverId,
      sequence: (before?.checkpoint.sequence ?? 0) + 1,
      number: end.number,
      hash: end.hash,
      at: new Date().toISOString(),
      key: this.identity.publicKey,
      previous: checkpointDigest(before?.checkpoint ?? null),
    });
    await addCheckpoint(this.dataSource, { checkpoint, epoch: place.epoch, cursor: place.cursor });
    return checkpoint;
  }

  private signed(checkpoint: UnsignedCheckpoint): Checkpoint {
    const signature = this.identity.sign(signedBytes(checkpoint), checkpoint.key);
    return { ...checkpoint, signature: Buffer.from(signature).toString('base64url') };
  }
}
