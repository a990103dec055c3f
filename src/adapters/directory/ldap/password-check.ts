import { once } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import Strategy from 'passport-ldapauth';
import { type DirectorySettings, DirectoryUnavailable } from '../../../ports/directory.port.js';
import { addressOf, type Connections, isEncrypted, tlsOptions } from './connections.js';

const CLOSE_TIMEOUT_MS = 1_000;

/** Opens one connection for the bind account and one for the person whose password is checked. */
async function lendTwo(connections: Connections): Promise<Socket[]> {
  const first = await connections.lendSocket();
  try {
    return [first, await connections.lendSocket()];
  } catch (error) {
    first.destroy();
    throw error;
  }
}

/**
 * Closes the connections that `ldapjs` was given, after it has had time to do this itself. It says goodbye on the first
 * and then on the second one, and ends the process when it writes to a closed connection, so they are closed one after
 * the other. Never rejects.
 */
async function closeLent(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) {
    if (socket.closed) continue;
    const closed = once(socket, 'close').catch(() => undefined);
    const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
    await closed;
    clearTimeout(timer);
    await turn();
    await turn();
  }
}

/** The callbacks of passport. */
interface Outcome {
  success(): void;
  fail(why: unknown, status?: number): void;
  error(error: unknown): void;
}

/** Names of the errors of `ldapjs` by which a directory refuses a person's password. All other errors are problems. */
const REFUSALS = new Set([
  'InappropriateAuthenticationError',
  'UnwillingToPerformError',
  'InsufficientAccessRightsError',
]);
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
const messageOf = (why: unknown): string =>
  why !== null && typeof why === 'object' && 'message' in why ? String(why.message) : '';

/**
 * Returns options for `ldapjs`. On its own, it would send the password of the bind account directly after its StartTLS
 * request, before the connection is encrypted, and it would end the process on a name that it cannot parse. So it gets
 * connections on which TLS begins next, and it does not parse names (`strictDN`).
 */
function serverOptions(settings: DirectorySettings, dn: string, lent: readonly Socket[]) {
  const { host, port } = addressOf(settings.url);
  const isTls = isEncrypted(settings);
  const unused = [...lent];
  const tls = {
    ...tlsOptions(settings),
    get socket() {
      return unused.shift();
    },
  };
  const account = settings.bind ? { bindDN: settings.bind.dn, bindCredentials: settings.bind.password } : {};
  return {
    url: `${isTls ? 'ldaps' : 'ldap'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ...account,
    searchBase: dn,
    searchScope: 'base' as const,
    searchFilter: '(objectClass=*)',
    searchAttributes: ['1.1'],
    strictDN: false,
    reconnect: false,
    timeout: settings.timeoutMs,
    connectTimeout: settings.timeoutMs,
    ...(isTls && { tlsOptions: tls }),
  };
}

/** Returns null when the directory accepts this password of this entry, otherwise the reason. @throws when the directory cannot be asked */
export async function checkPassword(
  settings: DirectorySettings,
  dn: string,
  password: string,
  connections: Connections,
): Promise<string | null> {
  const lent = isEncrypted(settings) ? await lendTwo(connections) : [];
  const server = serverOptions(settings, dn, lent);
  const outcome = checkWithStrategy(server, password);
  void outcome.catch(() => undefined).then(() => closeLent(lent));
  return outcome;
}

function checkWithStrategy(server: ReturnType<typeof serverOptions>, password: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const strategy = new Strategy({ server, credentialsLookup: () => ({ username: 'found', password }) });
    const outcome: Outcome = {
      success: () => resolve(null),
      fail: (why) => resolve(`The directory refuses it: ${messageOf(why)}.`),
      error: (error) =>
        REFUSALS.has(nameOf(error)) ? resolve(`The directory refuses it: ${nameOf(error)}.`) : reject(toError(error)),
    };
    Object.assign(strategy, outcome).authenticate(new IncomingMessage(new Socket()));
  });
}

/** `ldapjs` uses codes from here on for errors that are not answers of the directory. */
const FIRST_OWN_CODE = 128;

/** An answer of the directory about this person says nothing about other people. */
function toError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const isAnswer = 'code' in error && typeof error.code === 'number' && error.code < FIRST_OWN_CODE;
  return isAnswer
    ? new DirectoryUnavailable(`The directory answered ${error.name} about a password.`, error, false)
    : error;
}
