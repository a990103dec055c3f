import { Refusal } from '../../kernel/errors.js';

/** The target of a download: the package that is served under a filename, or the package with this id. Filenames are NFC. */
export interface DownloadTarget {
  readonly packageId: string | null;
  readonly filename: string;
}

/** Clients that are configured with the context `share` ask for `/share/Packages/`. */
const BY_NAME = /^\/(?:share\/Packages|Packages|share)\/([^/]*)$/;
const BY_ID = /^\/packages\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/([^/]*)$/i;

/** True when a path (without its query) belongs to the downloads. */
export const isDownloadPath = (path: string): boolean => /^\/(?:Packages|share|packages)\//.test(path);

function decodeFilename(segment: string): string {
  try {
    return decodeURIComponent(segment).normalize('NFC');
  } catch {
    throw new Refusal('INVALID_FILENAME', 'The filename must be percent-encoded UTF-8.');
  }
}

/** Null for a filename with NUL: no package has one, and PostgreSQL would refuse the query. */
const toTarget = (packageId: string | null, segment: string): DownloadTarget | null => {
  const filename = decodeFilename(segment);
  return filename.includes('\0') ? null : { packageId, filename };
};

/** Parses the path of a download. Null for a path under which there cannot be a package. @throws Refusal INVALID_FILENAME */
export function parseDownloadPath(path: string): DownloadTarget | null {
  const byName = BY_NAME.exec(path);
  if (byName) return toTarget(null, byName[1] ?? '');
  const byId = BY_ID.exec(path);
  return byId ? toTarget((byId[1] ?? '').toLowerCase(), byId[2] ?? '') : null;
}
