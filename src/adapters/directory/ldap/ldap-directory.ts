import { randomBytes } from 'node:crypto';
import {
  Directory,
  type DirectoryPerson,
  type DirectorySettings,
  type DirectoryVerdict,
} from '../../../ports/directory.port.js';
import { Connections } from './connect/connections.js';
import { rejectOnAbort } from './deadline.js';
import { LdapSession } from './search/ldap-session.js';
import { checkPassword } from './sign-in/password-check.js';
import { toDirectoryUnavailable } from './trouble.js';

const DISABLED = 'The account is disabled in the directory.';
const EMPTY = 'The password is empty.';
/** Of ids in one search. */
const MAX_IDS_PER_SEARCH = 50;
/** Times as long as one sign-in may take; each answer has to come within that of one. */
const BATCH_TIMEOUT_FACTOR = 6;

/** People in an LDAP directory (RFC 4511). Every call makes its own connections, which end with it. */
export class LdapDirectory extends Directory {
  override readonly url: string;

  constructor(private readonly settings: DirectorySettings) {
    super();
    this.url = settings.url;
  }

  /** A name without a password would be let in by many directories (RFC 4513, 5.1.2), so none is asked. */
  override authenticate(username: string, password: string): Promise<DirectoryVerdict> {
    if (password === '') return Promise.resolve({ refused: EMPTY });
    return this.withConnections(async (connections) => {
      const session = await LdapSession.open(this.settings, connections);
      const found = await session.find(username);
      if (typeof found === 'string') return this.refuseAfterDecoy(found, connections);
      const refused = await checkPassword(this.settings, found.dn, password, connections);
      if (refused !== null || found.disabled) return { refused: refused ?? DISABLED };
      return { person: await session.withGroups(found) };
    });
  }

  override async decoy(username: string): Promise<void> {
    await this.withConnections(async (connections) => {
      await (await LdapSession.open(this.settings, connections)).find(username);
      return this.refuseAfterDecoy('', connections);
    });
  }

  override find(username: string): Promise<DirectoryPerson | null> {
    return this.withConnections(async (connections) => {
      const session = await LdapSession.open(this.settings, connections);
      const found = await session.find(username);
      return typeof found === 'string' ? null : session.withGroups(found);
    });
  }

  override async findAll(ids: readonly string[]): Promise<readonly DirectoryPerson[]> {
    const people: DirectoryPerson[] = [];
    for (let i = 0; i < ids.length; i += MAX_IDS_PER_SEARCH)
      people.push(...(await this.findSome(ids.slice(i, i + MAX_IDS_PER_SEARCH))));
    return people;
  }

  override check(): Promise<void> {
    return this.withConnections(async (connections) =>
      (await LdapSession.open(this.settings, connections)).checkBase(),
    );
  }

  private findSome(ids: readonly string[]): Promise<DirectoryPerson[]> {
    return this.withConnections(async (connections) => {
      const session = await LdapSession.open(this.settings, connections);
      const people: DirectoryPerson[] = [];
      for (const found of await session.findAll(ids)) people.push(await session.withGroups(found));
      return people;
    }, BATCH_TIMEOUT_FACTOR * this.settings.timeoutMs);
  }

  /** The work of a wrong password: the base has no password that anybody could guess. */
  private async refuseAfterDecoy(why: string, connections: Connections): Promise<{ refused: string }> {
    await checkPassword(this.settings, this.settings.searchBase, randomBytes(16).toString('hex'), connections);
    return { refused: why };
  }

  /** @throws DirectoryUnavailable, at the latest when the time is over */
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
