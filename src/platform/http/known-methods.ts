import type { IncomingMessage, ServerResponse } from 'node:http';
import { isGraphqlPath, sendError } from './errors/send-error.js';

/** A route of Express, or something without a route, such as a parser of bodies. */
interface RouteLayer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): unknown;
}

/** Express throws when it cannot decode a path. Such a request is refused elsewhere. */
function matchesPath(layer: RouteLayer, path: string): boolean {
  try {
    return Boolean(layer.match(path));
  } catch {
    return false;
  }
}

/** Answers 405 with the methods that are possible (RFC 9110, 15.5.6). */
export function refuseMethod(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): void {
  const names = new Intl.ListFormat('en').format(allowed);
  const message = `Only ${names} ${allowed.length === 1 ? 'is' : 'are'} possible here.`;
  sendError(request, response, { status: 405, code: 'METHOD_NOT_ALLOWED', message }, { Allow: allowed.join(', ') });
}

const GRAPHQL_METHODS = ['GET', 'POST'];

/** The part of an application of Express by which its routes are found. */
export interface RoutedApp {
  readonly router?: { readonly stack: readonly RouteLayer[] };
}

/** The methods of a known route that does not have the method of the request; null for all other requests. */
export function findOtherMethods(
  { method = '', url = '' }: IncomingMessage,
  { router }: RoutedApp,
): readonly string[] | null {
  // The route of GraphQL takes all methods, and would answer others as if they were calls from another site.
  if (isGraphqlPath(url)) return method === 'HEAD' || GRAPHQL_METHODS.includes(method) ? null : GRAPHQL_METHODS;
  const [path = ''] = url.split('?', 1);
  const methods = new Set<string>();
  for (const layer of router?.stack ?? [])
    if (layer.route && matchesPath(layer, path)) for (const name of Object.keys(layer.route.methods)) methods.add(name);
  if (methods.has('get')) methods.add('head');
  if (methods.size === 0 || methods.has('_all') || methods.has(method.toLowerCase())) return null;
  return [...methods].map((name) => name.toUpperCase()).toSorted();
}
