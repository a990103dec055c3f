import { resolve } from 'node:path';
import { StartupError } from '../../kernel/errors.js';
import type { Settings } from '../../platform/runtime/settings.js';
import { environment, SECRETS, type VariableName } from './environment.js';
import { readDirectorySettings } from './directory-settings.js';
import { readVariable, type Env, type Parsed } from './read-variable.js';

/** Reads and checks the environment. @throws StartupError with one line that says what to change */
export function loadSettings(env: Env): Settings {
  refuseUnknown(env);
  const need = <N extends VariableName>(name: N): Parsed<N> => {
    const value = readVariable(env, name);
    if (value === null) throw new StartupError(`Set ${name}: ${environment[name].expected}.`);
    return value;
  };
  const settings = {
    role: need('ODST_ROLE'),
    port: need('PORT'),
    dataDir: resolve(need('ODST_DATA_DIR')),
    url: readVariable(env, 'ODST_URL'),
    name: readVariable(env, 'ODST_NAME'),
    stage: readVariable(env, 'ODST_STAGE'),
    reachable: readVariable(env, 'ODST_REACHABLE'),
    adminPassword: readVariable(env, 'ODST_ADMIN_PASSWORD'),
    secretKey: readVariable(env, 'ODST_SECRET_KEY'),
    databaseUrl: readVariable(env, 'DATABASE_URL'),
    eventStoreUrl: readVariable(env, 'EVENTSTOREDB_URL'),
    redisUrl: readVariable(env, 'REDIS_URL'),
    tls: readTlsFiles(env),
    hstsSeconds: need('ODST_HSTS') / 1000,
    introspection: need('ODST_GRAPHQL_INTROSPECTION'),
    directory: readDirectorySettings(env),
    trustedProxies: readVariable(env, 'ODST_TRUSTED_PROXIES') ?? [],
    accelRedirect: readVariable(env, 'ODST_ACCEL_REDIRECT'),
    withdrawnGraceMs: need('ODST_WITHDRAWN_GRACE'),
    scrubRate: need('ODST_SCRUB_RATE'),
    scrubDays: need('ODST_SCRUB_DAYS'),
    logLevel: need('ODST_LOG_LEVEL'),
  };
  refuseContradictions(settings);
  return settings;
}

function readTlsFiles(env: Env): Settings['tls'] {
  const [cert, key] = [readVariable(env, 'ODST_TLS_CERT_FILE'), readVariable(env, 'ODST_TLS_KEY_FILE')];
  if (cert !== null && key !== null) return { certFile: resolve(cert), keyFile: resolve(key) };
  if (cert === null && key === null) return null;
  const [set, missing] =
    cert === null ? ['ODST_TLS_KEY_FILE', 'ODST_TLS_CERT_FILE'] : ['ODST_TLS_CERT_FILE', 'ODST_TLS_KEY_FILE'];
  throw new StartupError(`${set} is set and ${missing} is not. Set both, or none for plain HTTP.`);
}

/** The embedded database belongs to the one process that starts it. */
function refuseContradictions({ role, databaseUrl }: Settings): void {
  if (role === 'all' || databaseUrl !== null) return;
  throw new StartupError(
    `ODST_ROLE=${role} needs DATABASE_URL: the embedded PostgreSQL serves one process only. Set DATABASE_URL, or ODST_ROLE=all.`,
  );
}

/** A misspelt variable would be silently without effect. */
function refuseUnknown(env: Env): void {
  const known = new Set([...Object.keys(environment), ...SECRETS.map((name) => `${name}_FILE`)]);
  const unknown = Object.keys(env).find((name) => name.startsWith('ODST_') && !known.has(name));
  if (unknown) throw new StartupError(`${unknown} is not a setting of this server. Check its spelling or unset it.`);
}
