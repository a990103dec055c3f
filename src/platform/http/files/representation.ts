import { DOWNLOAD_HEADERS } from '../security-headers.js';

const flatHeaders = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat();

/** What a file looks like over HTTP. Its headers are made once and sent as they are. */
export class Representation {
  /** Strong: the content's SHA-256. */
  readonly etag: string;
  readonly lastModified: string;
  readonly lastModifiedMs: number;
  /** Names and values in turn, as `writeHead` takes them. */
  readonly headers: readonly string[];
  readonly wholeHeaders: string[];
  /** For a proxy that sends the file, and adds itself what concerns ranges. */
  readonly proxyHeaders: string[];

  constructor(
    readonly size: number,
    /** Lower-case hex. */
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
  /** Its headers and some more. */
  headersWith(more: Readonly<Record<string, string>>): string[] {
    return [...this.headers, ...flatHeaders(more)];
  }
}
