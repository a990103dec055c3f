import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../kernel/errors.js';

/** The header fields as they came, repeated ones repeated. */
export function fieldsOf({ rawHeaders }: IncomingMessage): { name: string; value: string }[] {
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, i) => rawHeaders.slice(2 * i, 2 * i + 2));
  return pairs.map(([name = '', value = '']) => ({ name, value }));
}

/**
 * The absolute URLs that the caller may have signed. Behind a proxy that ends TLS, `Host` may lack its default port;
 * one that rewrites host or path leaves our public URL as what was meant.
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

/** Largest body of a call between servers, in bytes. */
const MAX_PEER_BODY = 64 * 1024;

const bodyTooLarge = (): Refusal => new Refusal('TOO_LARGE', `The body is larger than ${MAX_PEER_BODY} bytes.`);

const hasNoBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';

/**
 * The bytes of the body as they were sent: those kept by the HTTP adapter (`rawBody`) when it has parsed them already,
 * else read here. @throws Refusal TOO_LARGE
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
