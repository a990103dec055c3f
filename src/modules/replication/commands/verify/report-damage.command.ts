import { Command } from '@nestjs/cqrs';
import type { FileDamage } from '../../../../ports/package-storage.port.js';
import type { HeldPackage } from './plan-verification.command.js';

/**
 * The file of a held package was read and is damaged or gone: it is taken out of service and mended, or given up when
 * this server need not have it. False when it has been replaced since. To be repeated until it has succeeded.
 */
export class ReportDamage extends Command<boolean> {
  constructor(
    readonly held: HeldPackage,
    readonly damage: FileDamage,
  ) {
    super();
  }
}
