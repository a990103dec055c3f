/** The local port that leads to a server which can't be called at its address; null when it can. */
export type Via = { readonly host: string; readonly port: number } | null;

/** Where a request for a URL is sent, as undici takes it. By a detour, the Host header still names who is meant. */
export function requestTarget(url: string, via: Via) {
  const { origin, host, pathname, search } = new URL(url);
  const path = pathname + search;
  return via ? { origin: `http://${via.host}:${via.port}`, path, host: { host } } : { origin, path, host: {} };
}
