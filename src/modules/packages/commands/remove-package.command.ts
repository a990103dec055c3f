import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';

/** Remove a package from every server. Its file is deleted soon after. Refusal: PACKAGE_NOT_FOUND. */
export class RemovePackage extends Command<Receipt> {
  constructor(readonly packageId: string) {
    super();
  }
}
