import { randomBytes } from 'node:crypto';
import { ResultCodeError } from 'ldapts';
import {
  Directory,
  type DirectoryPerson,
  type DirectorySettings,
  DirectoryUnavailable,
  type DirectoryVerdict,
} from '../../../ports/directory.port.js';
import { Connections } from './connections.js';
import { LdapSession } from './ldap-session.js';
import { checkPassword } from './password-check.js';

/** Rejects when the signal aborts, although `work` may still wait. Closing its connections ends that. */
function rejectOnAbort<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

const TLS_CODES = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;
const MAX_CHARACTERS = 200;

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** Shortens foreign text to one line of limited length. */
const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_CHARACTERS);

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

/** Describes the problem, and what an administrator can do about it. */
function describeProblem(error: unknown, { url, timeoutMs, searchBase }: DirectorySettings): string {
  const code = codeOf(error);
  const name = nameOf(error);
  if (name === 'AbortError' || name === 'TimeoutError')
    return `${url} did not answer within ${timeoutMs / 1000} s. Check the directory and the network.`;
  if (TLS_CODES.test(code))
    return `The certificate of ${url} is not accepted (${code}). Set LDAP_CA_FILE to the certificate of the authority that issued it, and use the host name in the certificate.`;
  if (code !== '' && !(error instanceof ResultCodeError))
    return `${url} cannot be reached (${code}). Check that the directory is running and that LDAP_URL is right.`;
  if (name === 'InvalidCredentialsError') return 'The directory refuses LDAP_BIND_DN or LDAP_BIND_PASSWORD.';
  if (name === 'NoSuchObjectError')
    return `The directory has no ${searchBase}, or LDAP_BIND_DN may not read it. Check LDAP_SEARCH_BASE and LDAP_GROUP_SEARCH_BASE.`;
  if (name === 'InsufficientAccessError')
    return 'The directory does not allow LDAP_BIND_DN to search. Give this account the right to read.';
  return `${url} answered: ${oneLine(error instanceof Error ? `${name} ${error.message}` : String(error))}`;
}

const toDirectoryUnavailable = (error: unknown, settings: DirectorySettings): DirectoryUnavailable =>
  error instanceof DirectoryUnavailable ? error : new DirectoryUnavailable(describeProblem(error, settings), error);

const ACCOUNT_DISABLED = 'The account is disabled in the directory.';
const EMPTY_PASSWORD = 'The password is empty.';
/** Upper limit for the ids in one search. */
const MAX_IDS_PER_SEARCH = 50;
/** A search for several ids may take this many times as long as one sign-in. Each answer must arrive within the time of one. */
const BATCH_TIMEOUT_FACTOR = 6;

/** People in an LDAP directory (RFC 4511). Every call opens its own connections and closes them at its end. */
export class LdapDirectory extends Directory {
  override readonly url: string;

  constructor(private readonly settings: DirectorySettings) {
    super();
    this.url = settings.url;
  }

  /** Many directories accept a name without a password (RFC 4513, 5.1.2), so they are not asked about it. */
  override authenticate(username: string, password: string): Promise<DirectoryVerdict> {
    if (password === '') return Promise.resolve({ refused: EMPTY_PASSWORD });
    return this.withConnections(async (connections) => {
      const session = await LdapSession.open(this.settings, connections);
      const found = await session.findPerson(username);
      if (typeof found === 'string') return this.refuseAfterDecoy(found, connections);
      const refused = await checkPassword(this.settings, found.dn, password, connections);
      if (refused !== null) return { refused };
      if (found.disabled) return { refused: ACCOUNT_DISABLED, passwordIsRight: true };
      return { person: await session.addGroups(found) };
    });
  }

  override async imitateAuthentication(username: string): Promise<void> {
    await this.withConnections(async (connections) => {
      await (await LdapSession.open(this.settings, connections)).findPerson(username);
      return this.refuseAfterDecoy('', connections);
    });
  }

  override findPerson(username: string): Promise<DirectoryPerson | null> {
    return this.withConnections(async (connections) => {
      const session = await LdapSession.open(this.settings, connections);
      const found = await session.findPerson(username);
      return typeof found === 'string' ? null : session.addGroups(found);
    });
  }

  override async findPeople(ids: readonly string[]): Promise<readonly DirectoryPerson[]> {
    const people: DirectoryPerson[] = [];
    for (let i = 0; i < ids.length; i += MAX_IDS_PER_SEARCH)
      people.push(...(await this.findSome(ids.slice(i, i + MAX_IDS_PER_SEARCH))));
    return people;
  }

  override checkAccess(): Promise<void> {
    return this.withConnections(async (connections) =>
      (await LdapSession.open(this.settings, connections)).checkBase(),
    );
  }

  private findSome(ids: readonly string[]): Promise<DirectoryPerson[]> {
    return this.withConnections(async (connections) => {
      const session = await LdapSession.open(this.settings, connections);
      const people: DirectoryPerson[] = [];
      for (const found of await session.findPeople(ids)) people.push(await session.addGroups(found));
      return people;
    }, BATCH_TIMEOUT_FACTOR * this.settings.timeoutMs);
  }

  /** Does the same work as for a wrong password. The base entry has no password that could be guessed. */
  private async refuseAfterDecoy(why: string, connections: Connections): Promise<{ refused: string }> {
    await checkPassword(this.settings, this.settings.searchBase, randomBytes(16).toString('hex'), connections);
    return { refused: why };
  }

  /** @throws DirectoryUnavailable, at the latest when the time is up */
  private async withConnections<T>(
    work: (connections: Connections) => Promise<T>,
    patienceMs = this.settings.timeoutMs,
  ): Promise<T> {
    const signal = AbortSignal.timeout(patienceMs);
    const connections = new Connections(this.settings, signal);
    try {
      return await rejectOnAbort(signal, work(connections));
    } catch (error) {
      throw toDirectoryUnavailable(signal.aborted ? signal.reason : error, this.settings);
    } finally {
      connections.close();
    }
  }
}
