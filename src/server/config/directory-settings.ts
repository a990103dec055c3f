import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { StartupError } from '../../kernel/errors.js';
import type { DirectorySettings } from '../../ports/directory.port.js';
import { environment, SECRETS, type VariableName } from './environment.js';
import { readRawValue, readVariable, type Env } from './read-variable.js';

const NAMES = (Object.keys(environment) as VariableName[]).filter((name) => name.startsWith('LDAP_'));
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const ANY_MEMBER = '(|(member={{dn}})(uniqueMember={{dn}})(memberUid={{username}}))';
/** LDAP_MATCHING_RULE_IN_CHAIN: Active Directory itself follows groups within groups. */
const MEMBER_IN_CHAIN = '(member:1.2.840.113556.1.4.1941:={{dn}})';

/** `LDAP_*`; null without LDAP_URL. @throws StartupError with one line that says what to change */
export function readDirectorySettings(env: Env): DirectorySettings | null {
  const url = readVariable(env, 'LDAP_URL');
  if (url === null) return refuseUnusedVariables(env);
  refuseUnknownVariables(env);
  const searchBase = requireVariable(env, 'LDAP_SEARCH_BASE');
  const nested = readVariable(env, 'LDAP_NESTED_GROUPS') ?? 'off';
  return {
    url,
    ...readEncryption(env, url),
    bind: readBindAccount(env),
    searchBase,
    searchFilter: readVariable(env, 'LDAP_SEARCH_FILTER') ?? '',
    groupSearchBase: readVariable(env, 'LDAP_GROUP_SEARCH_BASE') ?? searchBase,
    groupFilter:
      readVariable(env, 'LDAP_GROUP_FILTER') ?? (nested === 'active-directory' ? MEMBER_IN_CHAIN : ANY_MEMBER),
    recursive: nested === 'recursive',
    idAttribute: readVariable(env, 'LDAP_ID_ATTRIBUTE'),
    roleMap: requireVariable(env, 'LDAP_ROLE_MAP'),
    timeoutMs: readVariable(env, 'LDAP_TIMEOUT') ?? 0,
  };
}

function requireVariable<N extends 'LDAP_SEARCH_BASE' | 'LDAP_ROLE_MAP'>(env: Env, name: N) {
  const value = readVariable(env, name);
  if (value === null) throw new StartupError(`LDAP_URL is set, so set ${name}: ${environment[name].expected}.`);
  return value;
}

function readEncryption(env: Env, url: string): Pick<DirectorySettings, 'startTls' | 'ca'> {
  const startTls = readVariable(env, 'LDAP_START_TLS') === true;
  const isTls = url.startsWith('ldaps:');
  if (isTls && startTls)
    throw new StartupError('LDAP_START_TLS=true works only with ldap://. Unset it, or change LDAP_URL.');
  // The library that verifies passwords without TLS treats such an address as a name.
  if (url.includes('[') && !isTls && !startTls)
    throw new StartupError(
      'LDAP_URL has an IPv6 address, which works only with ldaps:// or LDAP_START_TLS=true. Use a host name.',
    );
  const file = readVariable(env, 'LDAP_CA_FILE');
  if (file !== null && !isTls && !startTls) {
    throw new StartupError(
      'LDAP_CA_FILE is set, but nothing is encrypted. Set LDAP_START_TLS=true, or use ldaps:// in LDAP_URL.',
    );
  }
  return { startTls, ca: file === null ? null : readCertificates(file) };
}

function readCertificates(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    const found = text.match(PEM) ?? [];
    if (found.length === 0) throw new Error('it has no certificate in PEM form');
    return found.map((pem) => new X509Certificate(pem).toString()).join('');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`LDAP_CA_FILE must be ${environment.LDAP_CA_FILE.expected}: ${reason}.`);
  }
}

function readBindAccount(env: Env): DirectorySettings['bind'] {
  const dn = readVariable(env, 'LDAP_BIND_DN');
  const password = readVariable(env, 'LDAP_BIND_PASSWORD');
  if (dn === null && password === null) return null;
  if (dn === null || password === null) {
    throw new StartupError(
      'LDAP_BIND_DN and LDAP_BIND_PASSWORD (or LDAP_BIND_PASSWORD_FILE) belong together. Set both, or neither of them to search without signing in.',
    );
  }
  return { dn, password };
}

/** Settings of a directory without its address are a mistake. */
function refuseUnusedVariables(env: Env): null {
  const useless = NAMES.find((name) => readRawValue(env, name) !== undefined);
  if (useless) throw new StartupError(`${useless} is set, but LDAP_URL is not. Set LDAP_URL, or unset ${useless}.`);
  return null;
}

/** With a misspelt LDAP_START_TLS, passwords would be sent unencrypted. */
function refuseUnknownVariables(env: Env): void {
  const known = new Set<string>([...NAMES, ...SECRETS.map((name) => `${name}_FILE`)]);
  const unknown = Object.keys(env).find((name) => name.startsWith('LDAP_') && !known.has(name));
  if (unknown) throw new StartupError(`${unknown} is not a setting of this server. Check its spelling or unset it.`);
}

const OWN_MACHINE = /^(?:localhost|127(?:\.\d{1,3}){3})$/;

/** The warning at the start that passwords are sent unencrypted; null when they are not. */
export function plainTextWarning(settings: DirectorySettings | null): string | null {
  if (
    !settings ||
    settings.startTls ||
    settings.url.startsWith('ldaps:') ||
    OWN_MACHINE.test(new URL(settings.url).hostname)
  )
    return null;
  return `Passwords go to ${settings.url} unencrypted. Set LDAP_START_TLS=true, or use ldaps:// in LDAP_URL.`;
}
