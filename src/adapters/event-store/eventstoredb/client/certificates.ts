import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { StartupError } from '../../../../kernel/startup-error.js';
import { errorCode, messageOf } from '../../../shared/errors.js';
import type { EventStoreDbAddress } from '../eventstoredb-url.js';

/** In PEM, named as the client has them. */
export interface Certificates {
  readonly rootCertificate?: Buffer;
  readonly userCertFile?: Buffer;
  readonly userKeyFile?: Buffer;
}

/** The files that the connection string names. @throws StartupError when one can't be read or used */
export function readCertificates(address: EventStoreDbAddress): Certificates {
  const certificates: Certificates = {
    ...readPemFile('rootCertificate', 'tlsCAFile', address.tlsCaFile),
    ...readPemFile('userCertFile', 'userCertFile', address.userCertFile),
    ...readPemFile('userKeyFile', 'userKeyFile', address.userKeyFile),
  };
  try {
    createSecureContext({
      ca: certificates.rootCertificate,
      cert: certificates.userCertFile,
      key: certificates.userKeyFile,
    });
  } catch (error) {
    throw new StartupError(
      `A certificate file of EVENTSTOREDB_URL is not a certificate or key in PEM: ${messageOf(error)}`,
      error,
    );
  }
  return certificates;
}

function readPemFile(name: keyof Certificates, option: string, path: string | undefined): Certificates {
  if (path === undefined) return {};
  try {
    const bytes = readFileSync(path);
    if (!bytes.includes('-----BEGIN ')) throw new Error('it has no PEM block');
    return { [name]: bytes };
  } catch (error) {
    const reason = errorCode(error) ?? messageOf(error);
    throw new StartupError(
      `The ${option} of EVENTSTOREDB_URL, ${path}, cannot be used (${reason}). Name a readable PEM file.`,
      error,
    );
  }
}
