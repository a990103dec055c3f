import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { StartupError } from '../../kernel/errors.js';
import { environment, SECRETS, type VariableName } from './environment.js';
import { proxyVariables } from './proxy-variables.js';

export type Env = Readonly<Record<string, string | undefined>>;
export type Parsed<N extends VariableName> = z.output<(typeof environment)[N]['check']>;

/** The value of a variable, checked, or its default; null for none. @throws StartupError */
export function readVariable<N extends VariableName>(env: Env, name: N): Parsed<N> | null {
  const { check, expected, ...rest } = environment[name];
  const raw = readRawValue(env, name) ?? ('fallback' in rest ? rest.fallback : undefined);
  if (raw === undefined) return null;
  const parsed = check.safeParse(raw);
  if (parsed.success) return parsed.data as Parsed<N>;
  const shown = SECRETS.includes(name) ? '' : ` It is ${JSON.stringify(raw)}.`;
  const why = parsed.error.issues
    .filter(({ code }) => code === 'custom')
    .map(({ message }) => message)
    .find((message) => message !== 'Invalid input');
  throw new StartupError(
    `${name} must be ${expected}.${shown}${why === undefined ? '' : ` But ${why}.`}`.replaceAll('\n', ' '),
  );
}

/** The text of a variable; undefined when it is not set or empty. */
export function readRawValue(env: Env, name: VariableName): string | undefined {
  const direct = withoutEnds(name, inLowerCase(env, name) ?? env[name] ?? '') || undefined;
  const file = SECRETS.includes(name) ? env[`${name}_FILE`]?.trim() || undefined : undefined;
  if (direct !== undefined && file !== undefined) {
    throw new StartupError(`Both ${name} and ${name}_FILE are set. Keep one of them.`);
  }
  return file === undefined ? direct : readSecret(name, file);
}

/** Most programs know these variables in lower case, and take that first. */
const inLowerCase = (env: Env, name: VariableName): string | undefined =>
  name in proxyVariables ? env[name.toLowerCase()] : undefined;

/** Passwords may begin and end with blanks. */
const PASSWORDS: readonly VariableName[] = ['ODST_ADMIN_PASSWORD', 'LDAP_BIND_PASSWORD'];

/**
 * Takes off what editors and shells add: from a secret the byte order mark and one line end, and from anything else all
 * white space. @throws StartupError when a secret that is no password has more white space at its ends
 */
function withoutEnds(name: VariableName, text: string): string {
  if (!SECRETS.includes(name)) return text.trim();
  const secret = text.replace(/^\uFEFF/, '').replace(/\r?\n$/, '');
  if (PASSWORDS.includes(name) || secret === secret.trim()) return secret;
  throw new StartupError(
    `${name} must not begin or end with white space. Remove it; one line end and a byte order mark are ignored.`,
  );
}

function readSecret(name: VariableName, path: string): string {
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`${name}_FILE names a file that cannot be read: ${reason}.`);
  }
  return withoutEnds(name, text);
}
