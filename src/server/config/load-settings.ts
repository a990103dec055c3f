import { resolve } from 'node:path';
import { StartupError } from '../../kernel/errors.js';
import type { Settings } from '../../platform/runtime/settings.js';
import { environment, SECRETS, type VariableName } from './environment.js';
import { readDirectorySettings } from './directory-settings.js';
import { readVariable, type Env, type Parsed } from './read-variable.js';

/** The value of a variable: its checked value, or the value that the table has for an unset variable, or null. */
type SettingOf<N extends VariableName> =
  | Parsed<N>
  | ((typeof environment)[N] extends { readonly fallback: string }
      ? never
      : (typeof environment)[N] extends { readonly otherwise: infer Otherwise }
        ? Otherwise
        : null);

/** The settings that one variable sets, as the table says. */
type TableSettings = {
  readonly [
    N in VariableName as (typeof environment)[N] extends { readonly setting: infer S extends string } ? S : never
  ]: SettingOf<N>;
};

/** Reads and checks the environment. @throws StartupError with one line that says what to change */
export function loadSettings(env: Env): Settings {
  refuseUnknown(env);
  const settings = { ...readTable(env), tls: readTlsFiles(env), directory: readDirectorySettings(env) };
  refuseContradictions(settings);
  return settings;
}

function readTable(env: Env): TableSettings {
  const settings = Object.entries(environment).flatMap(([name, variable]) => {
    if (!('setting' in variable)) return [];
    const unset = 'otherwise' in variable ? variable.otherwise : null;
    return [[variable.setting, readVariable(env, name as VariableName) ?? unset]];
  });
  // The entries are those of the table, whose type is written down above.
  return Object.fromEntries(settings) as TableSettings;
}

function readTlsFiles(env: Env): Settings['tls'] {
  const [cert, key] = [readVariable(env, 'ODST_TLS_CERT_FILE'), readVariable(env, 'ODST_TLS_KEY_FILE')];
  if (cert !== null && key !== null) return { certFile: resolve(cert), keyFile: resolve(key) };
  if (cert === null && key === null) return null;
  const [set, missing] =
    cert === null ? ['ODST_TLS_KEY_FILE', 'ODST_TLS_CERT_FILE'] : ['ODST_TLS_CERT_FILE', 'ODST_TLS_KEY_FILE'];
  throw new StartupError(`${set} is set and ${missing} is not. Set both, or none for plain HTTP.`);
}

/** The embedded database can be used by one process only. */
function refuseContradictions({ role, databaseUrl }: Settings): void {
  if (role === 'all' || databaseUrl !== null) return;
  throw new StartupError(
    `ODST_ROLE=${role} needs DATABASE_URL: the embedded PostgreSQL serves one process only. Set DATABASE_URL, or ODST_ROLE=all.`,
  );
}

/** A misspelt variable would have no effect without notice. */
function refuseUnknown(env: Env): void {
  const known = new Set([...Object.keys(environment), ...SECRETS.map((name) => `${name}_FILE`)]);
  const unknown = Object.keys(env).find((name) => name.startsWith('ODST_') && !known.has(name));
  if (unknown) throw new StartupError(`${unknown} is not a setting of this server. Check its spelling or unset it.`);
}
