import { Command } from '@nestjs/cqrs';
import type { PackageSuperseded } from '../../contracts/package.events.js';

/** Record that another package took over the filename of this one. Repeating it changes nothing. */
export class SupersedePackage extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly by: PackageSuperseded['data']['by'],
  ) {
    super();
  }
}
