import { once } from 'node:events';
import { createServer } from 'node:net';
import type { LoggerService } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { StartupError } from '../../kernel/errors.js';
import type { Settings } from '../../platform/runtime/settings.js';

const LISTEN_ERRORS: Readonly<Record<string, (port: number) => string>> = {
  EADDRINUSE: (port) => `Port ${port} is in use. Stop what uses it, or set PORT to another one.`,
  EACCES: (port) => `This user may not listen on port ${port}. Set PORT to one above 1023, or run it behind a proxy.`,
};

/** The error that tells an administrator what to do about a port that cannot be used; other errors stay as they are. */
function explainListenError(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = LISTEN_ERRORS[code];
  return reason ? new StartupError(reason(port), error) : error;
}

/** Checks a port before the database starts, because that start takes a moment. @throws StartupError when the port is in use */
export async function refuseTakenPort(port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port);
    await once(probe, 'listening');
  } catch (error) {
    throw explainListenError(error, port);
  }
  probe.close();
  await once(probe, 'close');
}

/** Lets the server accept connections on a port. @throws StartupError when the port cannot be used */
export async function listenOnPort(app: NestExpressApplication, port: number): Promise<void> {
  try {
    await app.listen(port);
  } catch (error) {
    throw explainListenError(error, port);
  }
}

/** Warns about an address that does not fit the way in which the server is reached, which otherwise only its peers would notice. */
export function warnAboutAddress({ tls, url, trustedProxies, reachable }: Settings, logger: LoggerService): void {
  if (url === null || reachable === false) return;
  if (tls && url.startsWith('http:')) {
    logger.warn(
      `This server answers by HTTPS only (ODST_TLS_CERT_FILE), but ODST_URL is ${url}, so peers and endpoints cannot reach it. Set ODST_URL to an https:// address.`,
      'Server',
    );
  }
  if (!tls && url.startsWith('https:') && trustedProxies.length === 0) {
    logger.warn(
      'ODST_URL is an https:// address, but neither a certificate (ODST_TLS_CERT_FILE) nor a proxy (ODST_TRUSTED_PROXIES) is set. If a proxy ends TLS, set ODST_TRUSTED_PROXIES. Until then, this server takes the address of the proxy for the address of every caller.',
      'Server',
    );
  }
}
