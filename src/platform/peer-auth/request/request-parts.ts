import type { IncomingMessage } from 'node:http';

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
