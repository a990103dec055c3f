import { Command } from '@nestjs/cqrs';

/** Makes an address under which a package can be downloaded until it expires, by whoever has it. */
export class CreateDownloadUrl extends Command<DownloadUrl> {
  constructor(
    readonly packageId: string,
    readonly filename: string,
    readonly seconds: number,
  ) {
    super();
  }
}

export interface DownloadUrl {
  readonly url: string;
  readonly expiresAt: Date;
}
