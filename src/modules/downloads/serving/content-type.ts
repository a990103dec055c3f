/** Only types that no browser runs; everything else is plain bytes. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  pkg: 'application/octet-stream',
  dmg: 'application/x-apple-diskimage',
  zip: 'application/zip',
  gz: 'application/gzip',
  tgz: 'application/gzip',
  xz: 'application/x-xz',
  bz2: 'application/x-bzip2',
  tar: 'application/x-tar',
  msi: 'application/x-msi',
  deb: 'application/vnd.debian.binary-package',
  rpm: 'application/x-rpm',
  iso: 'application/x-iso9660-image',
  apk: 'application/vnd.android.package-archive',
  plist: 'application/x-plist',
  mobileconfig: 'application/x-apple-aspen-config',
  json: 'application/json',
};

/** Content-Type by the extension of the filename. */
export function contentTypeOf(filename: string): string {
  const extension = /\.([a-z0-9]+)$/i.exec(filename)?.[1]?.toLowerCase() ?? '';
  return (Object.hasOwn(CONTENT_TYPES, extension) && CONTENT_TYPES[extension]) || 'application/octet-stream';
}
