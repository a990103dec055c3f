/** The head of an HTTP/1.1 response (RFC 9112), as far as it matters here. */
export interface ResponseHead {
  readonly status: number;
  /** Lower-case names. A repeated header is joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
}

const STATUS_LINE = /^HTTP\/1\.1 (\d{3})(?: [^\r\n]*)?$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/;

/** Parses a head up to and without its blank line; null when it is not one. */
export function parseResponseHead(text: string): ResponseHead | null {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(statusLine)?.[1];
  if (status === undefined) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return { status: Number(status), headers };
}

/** What keeps a 206 from being exactly these bytes, null when it is. */
export function describeWrongRange(head: ResponseHead, first: number, length: number, total: number): string | null {
  const range = `bytes ${first}-${first + length - 1}/${total}`;
  if (head.headers.get('content-range') !== range) return `answered 206 for another range than ${range}`;
  if (head.headers.get('content-length') !== String(length)) return 'answered 206 with another Content-Length';
  if (head.headers.has('transfer-encoding')) return 'answered 206 with a Transfer-Encoding';
  if (head.headers.has('content-encoding')) return 'answered 206 with a Content-Encoding';
  return null;
}

/** May the connection carry another request after this response? */
export const keepsAlive = (head: ResponseHead): boolean => !/\bclose\b/i.test(head.headers.get('connection') ?? '');
