import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Attribute, Change, Client } from 'ldapts';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { waitFor } from '../wait-for.js';
import { certificates, type Certificates } from './certificates.js';
import { BASE, BIND_DN, ENTRIES, type DirectoryEntry, type TestDirectory } from './people.js';

const PATH = `${process.env['PATH']}:/usr/sbin:/usr/local/sbin:/usr/lib/openldap:/usr/libexec`;
const SCHEMAS = ['/etc/ldap/schema', '/etc/openldap/schema'].find((folder) => existsSync(folder)) ?? '';
const MODULES = ['/usr/lib/ldap', '/usr/lib64/openldap'].find((folder) => existsSync(folder)) ?? '';
const BINARY = PATH.split(':')
  .map((folder) => join(folder, 'slapd'))
  .find((file) => existsSync(file));

export const hasSlapd = BINARY !== undefined && SCHEMAS !== '';

const ROOT = { dn: `cn=root,${BASE}`, password: 'root secret' };

const config = (folder: string, tls: Certificates): string => `
${['core', 'cosine', 'inetorgperson', 'nis'].map((name) => `include ${SCHEMAS}/${name}.schema`).join('\n')}
modulepath ${MODULES}
moduleload back_mdb
pidfile ${folder}/slapd.pid
TLSCACertificateFile ${tls.caFile}
TLSCertificateFile ${tls.certFile}
TLSCertificateKeyFile ${tls.keyFile}
database mdb
maxsize 67108864
suffix "${BASE}"
rootdn "${ROOT.dn}"
rootpw "${ROOT.password}"
directory ${folder}/db
index objectClass,uid,member,entryUUID eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn="${BIND_DN}" read by * none
`;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const ldif = (entries: readonly DirectoryEntry[]): string =>
  entries
    .map(({ dn, attributes }) => {
      const lines = Object.entries(attributes).flatMap(([name, values]) =>
        values.map((value) => `${name}:: ${base64(value)}`),
      );
      return [`dn:: ${base64(dn)}`, ...lines].join('\n');
    })
    .join('\n\n');

/** A real OpenLDAP server on free ports, with data of its own. */
export class Slapd implements TestDirectory {
  private child: ChildProcess | null = null;

  private constructor(
    private readonly folder: string,
    private readonly ports: { readonly plain: number; readonly tls: number },
    readonly tls: Certificates,
  ) {}

  static async start(entries: readonly DirectoryEntry[] = ENTRIES): Promise<Slapd> {
    const folder = mkdtempSync(join(tmpdir(), 'odst-slapd-'));
    mkdirSync(join(folder, 'db'));
    const tls = certificates();
    const slapd = new Slapd(folder, { plain: await findFreePort(0), tls: await findFreePort(0) }, tls);
    writeFileSync(join(folder, 'slapd.conf'), config(folder, tls));
    writeFileSync(join(folder, 'data.ldif'), `${ldif(entries)}\n`);
    const add = ['-q', '-f', join(folder, 'slapd.conf'), '-l', join(folder, 'data.ldif')];
    await promisify(execFile)('slapadd', add, { env: { ...process.env, PATH } });
    await slapd.launch();
    return slapd;
  }

  get ca(): string {
    return this.tls.ca;
  }

  get ldap(): string {
    return `ldap://127.0.0.1:${this.ports.plain}`;
  }

  get ldaps(): string {
    return `ldaps://127.0.0.1:${this.ports.tls}`;
  }

  get port(): number {
    return this.ports.plain;
  }

  async launch(): Promise<void> {
    const args = ['-f', join(this.folder, 'slapd.conf'), '-h', `${this.ldap}/ ${this.ldaps}/`, '-d', '0'];
    this.child = spawn(BINARY ?? 'slapd', args, { stdio: 'ignore' });
    await waitFor('slapd to answer', () => this.asRoot(() => Promise.resolve(true)));
  }

  /** SIGKILL, SIGSTOP or SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  async halt(): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.halt();
    this.tls.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async removeMember(group: string, member: string): Promise<void> {
    await this.modify(group, 'delete', 'member', member);
  }

  async addMember(group: string, member: string): Promise<void> {
    await this.modify(group, 'add', 'member', member);
  }

  async setPassword(dn: string, password: string): Promise<void> {
    await this.modify(dn, 'replace', 'userPassword', password);
  }

  async remove(dn: string): Promise<void> {
    await this.asRoot((client) => client.del(dn));
  }

  async add({ dn, attributes }: DirectoryEntry): Promise<void> {
    const all = Object.entries(attributes).map(([type, values]) => new Attribute({ type, values: [...values] }));
    await this.asRoot((client) => client.add(dn, all));
  }

  private async modify(
    dn: string,
    operation: 'add' | 'delete' | 'replace',
    type: string,
    value: string,
  ): Promise<void> {
    const change = new Change({ operation, modification: new Attribute({ type, values: [value] }) });
    await this.asRoot((client) => client.modify(dn, change));
  }

  private async asRoot<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ url: this.ldap, timeout: 5_000, connectTimeout: 5_000 });
    try {
      await client.bind(ROOT.dn, ROOT.password);
      return await work(client);
    } finally {
      await client.unbind();
    }
  }
}
