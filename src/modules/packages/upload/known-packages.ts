import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { takesStage } from '../../../kernel/stage.js';
import { packageIdOf } from '../../../platform/runtime/ids.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { PackagesByIdQuery, PublishedFileQuery } from '../contracts/package-queries.js';
import type { PackageView } from '../contracts/package-view.js';
import { normalizeUploadName } from '../lifecycle/filename.js';
import { UPLOAD_PATH } from './upload-request.js';
import type { UploadedPackage } from './upload-package.command.js';

/** A package as the answers of uploads show it. */
export type ShownPackage = Omit<UploadedPackage, 'receipt' | 'created'>;

const showPackage = ({ id, filename, size, sha1, sha256, stage }: PackageView): ShownPackage => ({
  id,
  filename,
  size,
  sha1,
  sha256,
  stage,
});

/** True when an upload would change nothing about the bytes: the copy of this server is neither missing for good nor damaged. */
const isThere = ({ state }: PackageView): boolean => state !== 'REMOVED' && state !== 'DAMAGED' && state !== 'FAILED';

/** Answers "is it here already?" for those who upload. */
@Injectable()
export class KnownPackages {
  constructor(
    private readonly queries: QueryBus,
    private readonly identity: ServerIdentity,
  ) {}

  /**
   * The package that is served under a filename, or the one with this filename and content.
   * @throws Refusal PACKAGE_NOT_FOUND, INVALID_FILENAME
   */
  async requirePackage(filename: string, sha256: string | null): Promise<ShownPackage> {
    const found = await this.findPackage(normalizeUploadName(filename), sha256);
    if (!found) throw new Refusal('PACKAGE_NOT_FOUND', 'There is no such package. It can be uploaded.');
    return showPackage(found);
  }

  /**
   * Applies the header If-None-Match of an upload: `*` for any content under this filename, or the ETag of one content.
   * @throws Refusal PACKAGE_EXISTS, INVALID_FILENAME
   */
  async requireNoneMatch(filename: string, header: string | undefined): Promise<void> {
    if (header === undefined) return;
    const name = normalizeUploadName(filename);
    const digests = [...header.matchAll(/"([0-9a-f]{64})"/gi)].map(([, digest = '']) => digest.toLowerCase());
    const asked = header.trim() === '*' ? [null] : digests;
    for (const digest of asked) {
      const found = await this.findPackage(name, digest);
      if (found)
        throw new Refusal('PACKAGE_EXISTS', `${name} is there already, in the stage ${found.stage}.`, {
          id: found.id,
          sha256: found.sha256,
          stage: found.stage,
        });
    }
  }

  /** An address at which the package can be read: its download, or what is known of it when this server does not serve its stage. */
  addressOf({ filename, sha256, stage }: ShownPackage): string {
    const name = encodeURIComponent(filename);
    const path = takesStage(this.identity.stage, stage)
      ? `/Packages/${name}`
      : `${UPLOAD_PATH}/${name}?sha256=${sha256}`;
    return `${this.identity.url}${path}`;
  }

  private async findPackage(filename: string, sha256: string | null): Promise<PackageView | null> {
    const id = sha256 === null ? await this.findServed(filename) : packageIdOf(filename, sha256);
    if (id === null) return null;
    const [found = null] = await this.queries.execute(new PackagesByIdQuery([id]));
    return found && isThere(found) ? found : null;
  }

  private async findServed(filename: string): Promise<string | null> {
    const served = await this.queries.execute(new PublishedFileQuery({ filename }));
    return served === null || served.damaged ? null : served.packageId;
  }
}
