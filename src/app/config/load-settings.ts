import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { StartupError } from '../../kernel/startup-error.js';
import type { Settings } from '../../platform/config/settings.js';
import { environment, SECRETS, type VariableName } from './environment.js';

type Env = Readonly<Record<string, string | undefined>>;
type Parsed<N extends VariableName> = z.output<(typeof environment)[N]['check']>;

/** Reads and checks the environment. @throws StartupError with one line that says what to change */
export function loadSettings(env: Env): Settings {
  refuseUnknown(env);
  const need = <N extends VariableName>(name: N): Parsed<N> => {
    const value = parse(env, name);
    if (value === null) throw new StartupError(`Set ${name}: ${environment[name].expected}.`);
    return value;
  };
  const settings = {
    role: need('ODST_ROLE'),
    port: need('PORT'),
    dataDir: resolve(need('ODST_DATA_DIR')),
    url: parse(env, 'ODST_URL'),
    name: parse(env, 'ODST_NAME'),
    stage: parse(env, 'ODST_STAGE'),
    reachable: parse(env, 'ODST_REACHABLE'),
    adminPassword: parse(env, 'ODST_ADMIN_PASSWORD'),
    secretKey: parse(env, 'ODST_SECRET_KEY'),
    databaseUrl: parse(env, 'DATABASE_URL'),
    eventStoreUrl: parse(env, 'EVENTSTOREDB_URL'),
    redisUrl: parse(env, 'REDIS_URL'),
    tls: tlsFiles(env),
    hstsSeconds: need('ODST_HSTS') / 1000,
    introspection: need('ODST_GRAPHQL_INTROSPECTION'),
    trustedProxies: parse(env, 'ODST_TRUSTED_PROXIES') ?? [],
    accelRedirect: parse(env, 'ODST_ACCEL_REDIRECT'),
    withdrawnGraceMs: need('ODST_WITHDRAWN_GRACE'),
    scrubRate: need('ODST_SCRUB_RATE'),
    scrubDays: need('ODST_SCRUB_DAYS'),
    logLevel: need('ODST_LOG_LEVEL'),
  };
  refuseContradictions(settings);
  return settings;
}

function tlsFiles(env: Env): Settings['tls'] {
  const [cert, key] = [parse(env, 'ODST_TLS_CERT_FILE'), parse(env, 'ODST_TLS_KEY_FILE')];
  if (cert !== null && key !== null) return { certFile: resolve(cert), keyFile: resolve(key) };
  if (cert === null && key === null) return null;
  const [set, missing] = cert === null ? ['ODST_TLS_KEY_FILE', 'ODST_TLS_CERT_FILE'] : ['ODST_TLS_CERT_FILE', 'ODST_TLS_KEY_FILE'];
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

function parse<N extends VariableName>(env: Env, name: N): Parsed<N> | null {
  const { check, expected, ...rest } = environment[name];
  const raw = rawValue(env, name) ?? ('fallback' in rest ? rest.fallback : undefined);
  if (raw === undefined) return null;
  const parsed = check.safeParse(raw);
  if (parsed.success) return parsed.data as Parsed<N>;
  const shown = SECRETS.includes(name) ? '' : ` It is ${JSON.stringify(raw)}.`;
  throw new StartupError(`${name} must be ${expected}.${shown}`);
}

function rawValue(env: Env, name: VariableName): string | undefined {
  const direct = env[name]?.trim() || undefined;
  const file = SECRETS.includes(name) ? env[`${name}_FILE`]?.trim() || undefined : undefined;
  if (direct !== undefined && file !== undefined) {
    throw new StartupError(`Both ${name} and ${name}_FILE are set. Keep one of them.`);
  }
  return file === undefined ? direct : readSecret(name, file);
}

function readSecret(name: VariableName, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`${name}_FILE names a file that cannot be read: ${reason}.`);
  }
}
