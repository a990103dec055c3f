import type { Aggregate } from '../../kernel/decider.js';
import { Refusal } from '../../kernel/errors.js';
import { findCharacterFault } from '../../kernel/input-text.js';
import {
  downloadEvents,
  UNPROTECTED,
  type DownloadEvent,
  type DownloadProtection,
} from './contracts/download.events.js';

/** Replaces the whole protection. */
interface ProtectDownloads {
  readonly type: 'protect';
  readonly to: DownloadProtection;
}

const MAX_NETWORKS = 1_000;
const MAX_USERNAME_LENGTH = 100;

const isSameProtection = (a: DownloadProtection, b: DownloadProtection): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

const refuseRequest = (message: string): never => {
  throw new Refusal('INVALID_REQUEST', message);
};

/** Requires the fields that the mode needs and drops the others. @throws Refusal INVALID_REQUEST */
function checkProtection({ mode, username, credentialId, networks }: DownloadProtection): DownloadProtection {
  if (mode === 'BASIC') {
    // A colon would end the name (RFC 7617).
    if (username === null || username.length === 0 || username.length > MAX_USERNAME_LENGTH || username.includes(':')) {
      return refuseRequest('BASIC needs a `username` of 1 to 100 characters, without a colon.');
    }
    const fault = findCharacterFault(username);
    if (fault !== null) return refuseRequest(`\`username\` ${fault}.`);
    if (credentialId === null) return refuseRequest('BASIC needs a `password`.');
    return { mode, username, credentialId, networks: [] };
  }
  if (mode !== 'NETWORK') return { ...UNPROTECTED, mode };
  if (networks.length === 0 || networks.length > MAX_NETWORKS) {
    return refuseRequest(`NETWORK needs 1 to ${MAX_NETWORKS} \`networks\`, such as 10.0.0.0/8 or 2001:db8::/32.`);
  }
  return { ...UNPROTECTED, mode, networks };
}

/** The protection of the downloads of this server. Its stream is `downloads`. */
export const downloadProtection: Aggregate<DownloadProtection, ProtectDownloads, DownloadEvent> = {
  category: 'downloads',
  events: downloadEvents,
  initial: UNPROTECTED,

  decide({ to }, state) {
    const data = checkProtection(to);
    return isSameProtection(data, state) ? [] : [{ type: 'DownloadProtectionChanged', data }];
  },

  evolve: (state, event) => (event.type === 'DownloadProtectionChanged' ? event.data : state),
};
