import { StartupError } from '../../../kernel/startup-error.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';

const URL_SHAPE = 'postgres://user:password@host:5432/database';

/** What `sslmode` means to libpq; `no-verify` is node-postgres' own. */
const SSL_MODES: Readonly<Record<string, DatabaseSettings['ssl']>> = {
  disable: false,
  allow: false,
  prefer: false,
  require: { rejectUnauthorized: false },
  'no-verify': { rejectUnauthorized: false },
  'verify-ca': true,
  'verify-full': true,
};

/** Reads `DATABASE_URL`. The password never appears in an error. @throws StartupError */
export function parseDatabaseUrl(text: string): DatabaseSettings {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '' || url.pathname.length < 2) {
    throw new StartupError(`DATABASE_URL must look like ${URL_SHAPE}`);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 5432),
    user: decodeUrlPart(url.username || 'postgres'),
    password: decodeUrlPart(url.password),
    database: decodeUrlPart(url.pathname.slice(1)),
    ssl: sslOf(url.searchParams),
  };
}

function sslOf(parameters: URLSearchParams): DatabaseSettings['ssl'] {
  const mode = parameters.get('sslmode') ?? (parameters.get('ssl') === 'true' ? 'verify-full' : 'disable');
  const ssl = SSL_MODES[mode];
  if (ssl === undefined)
    throw new StartupError(`DATABASE_URL: sslmode must be one of ${Object.keys(SSL_MODES).join(', ')}`);
  return ssl;
}

function decodeUrlPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new StartupError('DATABASE_URL: a "%" in the user, password or database must be written as %25');
  }
}
