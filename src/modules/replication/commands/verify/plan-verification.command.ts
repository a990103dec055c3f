import { Command } from '@nestjs/cqrs';

/** A package whose file should be on the disk of this server, whole. */
export interface HeldPackage {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly chunkCount: number;
  /** When it was uploaded here, as ISO 8601; null for a copy of a peer's. */
  readonly uploadedAt: string | null;
  /** Round of the replica: with `uploadedAt` it tells this file from one that was put in its place later. */
  readonly round: number;
}

/** What there is to verify of a package; null when its file does not belong on our disk. Changes nothing. */
export class PlanVerification extends Command<HeldPackage | null> {
  constructor(readonly packageId: string) {
    super();
  }
}
