import { Command } from '@nestjs/cqrs';

/** Have the file of a package read and compared now; returns once that is queued. Refusals: PACKAGE_NOT_FOUND, PACKAGE_NOT_HELD. */
export class VerifyPackage extends Command<void> {
  constructor(readonly packageId: string) {
    super();
  }
}
