const MAX_URL_LENGTH = 500;
const BASE_URL = /^https?:\/\/[^\s/?#@\\]+(\/[^\s/?#@\\]+)*$/;
const MOVES_UP = /\/(\.|%2e){1,2}(\/|$)/i;

/**
 * Is it an address under which a server can be reached: http or https, a host, perhaps a path; no user, query,
 * fragment, dots that move up, or slash at the end?
 */
export const isBaseUrl = (url: string): boolean =>
  url.length <= MAX_URL_LENGTH && BASE_URL.test(url) && !MOVES_UP.test(url);

/** What to say when it is none. */
export const BASE_URL_ADVICE =
  "A server's address looks like https://packages.example.com, without a query or a slash at the end.";
