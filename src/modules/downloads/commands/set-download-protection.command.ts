import { Command } from '@nestjs/cqrs';
import type { DownloadProtection, ProtectionMode } from '../contracts/download.events.js';

/** Says who may download from this server. */
export class SetDownloadProtection extends Command<ProtectionSet> {
  constructor(
    readonly to: {
      readonly mode: ProtectionMode;
      readonly username: string | null;
      /** Null keeps the one that the same username has, or has one made. */
      readonly password: string | null;
      readonly networks: readonly string[];
    },
  ) {
    super();
  }
}

export interface ProtectionSet {
  readonly protection: DownloadProtection;
  /** A password that was made; told once. */
  readonly generatedPassword: string | null;
}
