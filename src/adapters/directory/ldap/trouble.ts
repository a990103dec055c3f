import { ResultCodeError } from 'ldapts';
import { DirectoryUnavailable, type DirectorySettings } from '../../../ports/directory.port.js';

const TLS_CODES = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/;
const MAX_CHARACTERS = 200;

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** What others wrote, in one line of bounded length. */
const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_CHARACTERS);

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

/** What an administrator can do about it. */
function describeProblem(error: unknown, { url, timeoutMs, searchBase }: DirectorySettings): string {
  const code = codeOf(error);
  const name = nameOf(error);
  if (name === 'AbortError' || name === 'TimeoutError')
    return `${url} did not answer within ${timeoutMs / 1000} s. Is the directory well, and the network?`;
  if (TLS_CODES.test(code))
    return `The certificate of ${url} is not accepted (${code}). Set LDAP_CA_FILE to the authority that issued it, and use the name in it.`;
  if (code !== '' && !(error instanceof ResultCodeError))
    return `${url} cannot be reached (${code}). Is the directory running, and LDAP_URL right?`;
  if (name === 'InvalidCredentialsError') return 'The directory refuses LDAP_BIND_DN or LDAP_BIND_PASSWORD.';
  if (name === 'NoSuchObjectError')
    return `The directory has no ${searchBase}, or does not show it to LDAP_BIND_DN. Check LDAP_SEARCH_BASE and LDAP_GROUP_SEARCH_BASE.`;
  if (name === 'InsufficientAccessError')
    return 'The directory does not let LDAP_BIND_DN search. Give that account the right to read.';
  return `${url} answered: ${oneLine(error instanceof Error ? `${name} ${error.message}` : String(error))}`;
}

export const toDirectoryUnavailable = (error: unknown, settings: DirectorySettings): DirectoryUnavailable =>
  error instanceof DirectoryUnavailable ? error : new DirectoryUnavailable(describeProblem(error, settings), error);
