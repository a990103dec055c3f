import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../kernel/errors.js';

/** The header fields of a request in their original order. A field that was sent twice appears twice. */
export function fieldsOf({ rawHeaders }: IncomingMessage): { name: string; value: string }[] {
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, i) => rawHeaders.slice(2 * i, 2 * i + 2));
  return pairs.map(([name = '', value = '']) => ({ name, value }));
}

/**
 * The absolute URLs that the caller may have signed. A reverse proxy that terminates TLS hides whether the caller used
 * https, which decides what the default port is. A reverse proxy may also change the host or the path; the caller has
 * then signed the public URL of this server.
 * @param host is the value of the header `Host`
 * @param target is the path and the query of the request
 */
export function callTargets(host: string | undefined, target: string, publicUrl: string): string[] {
  if (!target.startsWith('/')) return [];
  const schemes = host === undefined ? [] : ['http', 'https'].map((scheme) => `${scheme}://${host}`);
  const byAuthority = new Map<string, string>();
  for (const base of [...schemes, publicUrl]) {
    if (!URL.canParse(base)) continue;
    const { host: authority, pathname } = new URL(base);
    const key = `${authority}${pathname}`;
    if (!byAuthority.has(key)) byAuthority.set(key, `${base}${target}`);
  }
  return [...byAuthority.values()];
}

/** The largest body of a call between servers, in bytes. */
const MAX_PEER_BODY = 64 * 1024;

const bodyTooLarge = (): Refusal => new Refusal('TOO_LARGE', `The body is larger than ${MAX_PEER_BODY} bytes.`);

const hasNoBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';

/**
 * Returns the bytes of the body as they were sent. If a body parser has already read the body, it must have kept the
 * bytes in `rawBody`.
 * @throws Refusal TOO_LARGE when the body has more than 64 KiB
 * @throws Error when the body was read before, and `rawBody` is missing
 */
export async function readRawBody(request: IncomingMessage & { rawBody?: unknown }): Promise<Buffer> {
  if (Buffer.isBuffer(request.rawBody)) {
    if (request.rawBody.length > MAX_PEER_BODY) throw bodyTooLarge();
    return request.rawBody;
  }
  if (hasNoBody(request)) return Buffer.alloc(0);
  if (request.readableEnded)
    throw new Error('The body of a peer call was read before its guard, without keeping rawBody');
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_PEER_BODY) throw bodyTooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
