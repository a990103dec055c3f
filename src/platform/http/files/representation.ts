import { DOWNLOAD_HEADERS } from '../security-headers.js';

const flatHeaders = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();

/** The HTTP headers of a file (its representation in RFC 9110). They are built once and sent for every request. */
export class Representation {
  /** A strong entity tag: the SHA-256 digest of the content in quotation marks. */
  readonly etag: string;
  readonly lastModified: string;
  /** Milliseconds since 1970, in whole seconds, as HTTP dates have no fractions. */
  readonly lastModifiedMs: number;
  /** The headers that every response with this file has: names and values in turn, as `writeHead` takes them. */
  readonly headers: readonly string[];
  /** The headers of a response with the whole file. */
  readonly wholeHeaders: string[];
  /** The headers for a proxy that sends the file. The proxy itself adds the headers that concern ranges. */
  readonly proxyHeaders: string[];

  constructor(
    /** Size of the file in bytes. */
    readonly size: number,
    /** Digest of the content in lower-case hexadecimal. */
    sha256: string,
    lastModified: Date,
    readonly contentType: string,
  ) {
    this.etag = `"${sha256}"`;
    this.lastModifiedMs = Math.floor(lastModified.getTime() / 1000) * 1000;
    this.lastModified = lastModified.toUTCString();
    const base64 = Buffer.from(sha256, 'hex').toString('base64');
    const shared = {
      ETag: this.etag,
      'Last-Modified': this.lastModified,
      'Repr-Digest': `sha-256=:${base64}:`,
      'Cache-Control': 'no-cache',
      ...DOWNLOAD_HEADERS,
    };
    this.headers = flatHeaders({ ...shared, 'Accept-Ranges': 'bytes' });
    this.proxyHeaders = flatHeaders({ ...shared, 'Content-Type': contentType, 'Content-Length': '0' });
    this.wholeHeaders = this.headersWith({ 'Content-Type': contentType, 'Content-Length': String(size) });
  }
  /** Returns the headers that every response has, and some more. */
  headersWith(more: Readonly<Record<string, string>>): string[] {
    return [...this.headers, ...flatHeaders(more)];
  }
}
