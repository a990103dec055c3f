import type { LoggerService } from '@nestjs/common';
import type { Settings } from '../../platform/config/settings.js';
import { loadKeyPair } from '../../platform/http/tls/key-pair.js';
import { ServedKeyPair } from '../../platform/http/tls/served-key-pair.js';

/** What HTTPS is served with; null for plain HTTP. @throws StartupError */
export function loadServedKeyPair({ tls, url }: Settings, logger: LoggerService): ServedKeyPair | null {
  return tls && new ServedKeyPair(tls, loadKeyPair(tls), { logger, ownUrl: url });
}

/** An address that does not fit how the server is reached is noticed by its peers only, and late. */
export function warnAboutAddress({ tls, url, trustedProxies, reachable }: Settings, logger: LoggerService): void {
  if (url === null || reachable === false) return;
  if (tls && url.startsWith('http:')) {
    logger.warn(
      `This server is reached by https (ODST_TLS_CERT_FILE), and ODST_URL is ${url}: peers and endpoints will not get through. Set an https:// address.`,
      'Server',
    );
  }
  if (!tls && url.startsWith('https:') && trustedProxies.length === 0) {
    logger.warn(
      'ODST_URL is an https:// address, and no certificate (ODST_TLS_CERT_FILE) and no proxy (ODST_TRUSTED_PROXIES) is set: the proxy that ends TLS is not believed, so addresses of callers are its own.',
      'Server',
    );
  }
}
