import { v5, v7 } from 'uuid';

/** The namespace of package ids. It is part of the format and never changes. */
const PACKAGE_NAMESPACE = '5b1f6f0a-3c53-5d0e-9a53-0d3f4f5b7a11';

/** A new UUIDv7 (RFC 9562). Such ids sort by the time at which they were created. */
export const newId = (): string => v7();

/**
 * The id of a package: a UUIDv5 of its filename (in Unicode NFC) and its SHA-256 (hexadecimal). So two servers give the
 * same file the same id without any communication.
 */
export const packageIdOf = (filename: string, sha256: string): string =>
  v5(`${sha256.toLowerCase()}/${filename.normalize('NFC')}`, PACKAGE_NAMESPACE);
