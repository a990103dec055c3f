import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import ldap, { type Server } from 'ldapjs';
import { dnKey } from '../../../../src/ports/directory-groups.js';
import { certificates, type Certificates } from '../certificates.js';
import { BIND_DN, ENTRIES, type DirectoryEntry, type TestDirectory } from '../people.js';
import { matches, Sent, valuesOf, type Lookup, type Values } from './filter.js';
import { StartTlsFront } from './start-tls-front.js';

/** What `ldapjs` 3 hands to a handler; its published types are those of version 2. */
type Next = (error?: unknown) => void;
interface BindRequest {
  readonly dn: unknown;
  readonly credentials: unknown;
}
interface SearchRequest {
  readonly dn: unknown;
  readonly connection: { readonly ldap: { readonly bindDN: unknown } };
  readonly filter: { readonly json: unknown };
  readonly scope: unknown;
  readonly sizeLimit: unknown;
}
interface Response {
  attributes: string[];
  send(entry: object): void;
  end(): void;
}

interface Stored {
  readonly dn: string;
  values: Record<string, readonly (string | Buffer)[]>;
}

const SCOPES: Readonly<Record<string, (key: string, base: string) => boolean>> = {
  base: (key, base) => key === base,
  sub: (key, base) => key === base || key.endsWith(`,${base}`),
};
const scopeOf = (scope: unknown) => SCOPES[String(scope).replace('0', 'base').replace('2', 'sub')] ?? (() => false);

const keyOf = (dn: string): string => dnKey(dn) ?? dn;

/**
 * A directory within the process of a test that speaks the real protocol, for machines without slapd; and for what slapd can't
 * do: it knows the matching rules of Active Directory. Its bind account may search, others may only show their password.
 */
export class InProcessDirectory implements TestDirectory, Lookup {
  searches = 0;
  /** Whose password it can't judge now. */
  odd: string | null = null;
  private readonly entries = new Map<string, Stored>();
  private readonly bound: string[] = [];
  private readonly servers: Server[] = [];
  private readonly ports: number[] = [];
  private front!: StartTlsFront;

  private constructor(readonly tls: Certificates) {}

  static async start(entries: readonly DirectoryEntry[] = ENTRIES): Promise<InProcessDirectory> {
    const tls = certificates();
    const directory = new InProcessDirectory(tls);
    for (const entry of entries) await directory.add(entry);
    await directory.serve({});
    await directory.serve({ certificate: readFileSync(tls.certFile, 'utf8'), key: readFileSync(tls.keyFile, 'utf8') });
    directory.front = await StartTlsFront.start(directory.ports[0] ?? 0, tls);
    return directory;
  }

  get ca(): string {
    return this.tls.ca;
  }

  get ldap(): string {
    return `ldap://127.0.0.1:${this.front.port}`;
  }

  get ldaps(): string {
    return `ldaps://127.0.0.1:${this.ports[1]}`;
  }

  /** Everybody who tried to sign in, by the names that they used. */
  get binds(): readonly string[] {
    return this.bound;
  }

  get inPlainText(): readonly Buffer[] {
    return [...this.front.leaked, ...this.front.seen];
  }

  membersOf(key: string): readonly string[] {
    const entry = this.entries.get(key);
    return entry ? valuesOf(entry.values, 'member').flatMap((value) => dnKey(value.toString()) ?? []) : [];
  }

  removeMember(group: string, member: string): Promise<void> {
    return this.change(group, (values) => ({
      ...values,
      member: (values['member'] ?? []).filter((value) => keyOf(value.toString()) !== keyOf(member)),
    }));
  }

  addMember(group: string, member: string): Promise<void> {
    return this.change(group, (values) => ({ ...values, member: [...(values['member'] ?? []), member] }));
  }

  setPassword(dn: string, password: string): Promise<void> {
    return this.change(dn, (values) => ({ ...values, userPassword: [password] }));
  }

  async remove(dn: string): Promise<void> {
    this.entries.delete(keyOf(dn));
  }

  async add({ dn, attributes }: { dn: string; attributes: Values }): Promise<void> {
    const values = 'objectGUID' in attributes ? { ...attributes } : { ...attributes, entryUUID: [randomUUID()] };
    this.entries.set(keyOf(dn), { dn, values });
  }

  async stop(): Promise<void> {
    await this.front.stop();
    for (const server of this.servers) server.close(() => undefined);
    this.tls.remove();
  }

  private async change(dn: string, to: (values: Stored['values']) => Stored['values']): Promise<void> {
    const entry = this.entries.get(keyOf(dn));
    if (!entry) throw new Error(`There is no ${dn}`);
    entry.values = to(entry.values);
  }

  private async serve(options: { certificate?: string; key?: string }): Promise<void> {
    const server = ldap.createServer(options);
    // Errors of connections that a test cuts.
    server.on('error', () => undefined);
    this.answer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    this.servers.push(server);
    this.ports.push(Number(new URL(server.url).port));
  }

  private answer(server: Server): void {
    server.bind('', (request: BindRequest, response: Response, next: Next) => {
      const [dn, password] = [String(request.dn), String(request.credentials)];
      this.bound.push(dn);
      if (this.odd === dn) return next(new ldap.OtherError());
      const stored = this.entries.get(keyOf(dn))?.values['userPassword']?.[0];
      if (stored === undefined || stored.toString() !== password) return next(new ldap.InvalidCredentialsError());
      response.end();
      return next();
    });
    server.search('', (request: SearchRequest, response: Response, next: Next) => {
      this.searches += 1;
      const isAllowed = keyOf(String(request.connection.ldap.bindDN)) === keyOf(BIND_DN);
      if (!isAllowed) return next(new ldap.InsufficientAccessRightsError());
      const base = keyOf(String(request.dn));
      if (!this.entries.has(base)) return next(new ldap.NoSuchObjectError());
      const filter = Sent.parse(request.filter.json);
      const isIn = scopeOf(request.scope);
      const found = [...this.entries].filter(([key, { values }]) => isIn(key, base) && matches(filter, values, this));
      // It compares names of attributes in one letter case only.
      response.attributes = ['*'];
      const limit = Number(request.sizeLimit);
      for (const [, { dn, values }] of limit > 0 ? found.slice(0, limit) : found) {
        const { userPassword: _, ...shown } = values;
        response.send({ dn, attributes: shown });
      }
      if (limit > 0 && found.length > limit) return next(new ldap.SizeLimitExceededError());
      response.end();
      return next();
    });
  }
}
