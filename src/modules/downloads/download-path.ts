import { Refusal } from '../../kernel/errors.js';

/** What a download asks for: what is served under a filename, or one version of it. Filenames in NFC. */
export interface DownloadTarget {
  readonly packageId: string | null;
  readonly filename: string;
}

/** `/share/Packages/` is what clients ask that are set up with the context `share`. */
const BY_NAME = /^\/(?:share\/Packages|Packages|share)\/([^/]*)$/;
const BY_ID = /^\/packages\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/([^/]*)$/i;

/** Does this path belong to the downloads? Without its query. */
export const isDownloadPath = (path: string): boolean => /^\/(?:Packages|share|packages)\//.test(path);

function decodeFilename(segment: string): string {
  try {
    return decodeURIComponent(segment).normalize('NFC');
  } catch {
    throw new Refusal('INVALID_FILENAME', 'The filename must be percent-encoded UTF-8.');
  }
}

/** PostgreSQL takes no NUL, and no package has one. */
const toTarget = (packageId: string | null, segment: string): DownloadTarget | null => {
  const filename = decodeFilename(segment);
  return filename.includes('\0') ? null : { packageId, filename };
};

/** Null for a path under which there can't be a package. @throws Refusal INVALID_FILENAME */
export function parseDownloadPath(path: string): DownloadTarget | null {
  const byName = BY_NAME.exec(path);
  if (byName) return toTarget(null, byName[1] ?? '');
  const byId = BY_ID.exec(path);
  return byId ? toTarget((byId[1] ?? '').toLowerCase(), byId[2] ?? '') : null;
}
