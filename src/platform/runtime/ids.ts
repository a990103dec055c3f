import { v5, v7 } from 'uuid';

/** Namespace of package ids. Part of the format; never changes. */
const PACKAGE_NAMESPACE = '5b1f6f0a-3c53-5d0e-9a53-0d3f4f5b7a11';

/** A new UUIDv7 (RFC 9562): sorts by the time it was made. */
export const newId = (): string => v7();

/** UUIDv5 of filename (NFC) and SHA-256 (hex): the same file uploaded on two servers is one package, without talking. */
export const packageIdOf = (filename: string, sha256: string): string =>
  v5(`${sha256.toLowerCase()}/${filename.normalize('NFC')}`, PACKAGE_NAMESPACE);
