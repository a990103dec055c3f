import { Command } from '@nestjs/cqrs';
import type { Stage } from '../../../kernel/stage.js';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';

/** Promote or demote a package, on every server. Refusal: PACKAGE_NOT_FOUND. */
export class SetPackageStage extends Command<Receipt> {
  constructor(
    readonly packageId: string,
    readonly stage: Stage,
  ) {
    super();
  }
}
