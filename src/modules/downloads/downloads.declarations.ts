// Declares the error codes and permissions of this module, and the sentences that describe its events.
import { declareErrorCodes } from '../../platform/http/errors/error-codes.js';
import {
  counted,
  declareEvents,
  type EventDescription,
  type Fields,
} from '../../platform/eventsourcing/event-descriptions.js';
import {
  type DownloadEvent,
  downloadEvents,
  type DownloadProtection,
  type DownloadProtectionChanged,
  UNPROTECTED,
} from './contracts/download.events.js';

const downloadCodes = declareErrorCodes({
  DOWNLOAD_URL_EXPIRED: {
    status: 403,
    meaning: 'The signed address of a download has expired. Ask for a new address.',
  },
});

type DownloadCodes = Record<keyof typeof downloadCodes, true>;

declare module '../../kernel/errors.js' {
  interface ErrorCodes extends DownloadCodes {}
}

function describeProtection({ mode, username, networks }: DownloadProtectionChanged['data']): string {
  if (mode === 'NONE') return 'everybody';
  if (mode === 'BASIC') return `who knows the password of ${username}`;
  return mode === 'SIGNED' ? 'who has a signed address' : `who calls from ${networks.join(', ')}`;
}

const fieldsOf = ({ mode, username, networks }: DownloadProtection): Fields => ({
  downloadsFor: mode,
  downloadUsername: username,
  downloadNetworks: [...networks],
});

function describeDownloadEvent(event: DownloadEvent, serverId: string): EventDescription {
  if (event.type === 'DownloadProtectionChanged') {
    const { mode, username, networks } = event.data;
    const details = { mode, username, networks: [...networks] };
    const about = { targetType: 'SERVER', targetId: serverId, targetLabel: null, details } as const;
    const change = { before: fieldsOf(UNPROTECTED), now: fieldsOf(event.data) };
    return { ...about, summary: `Downloads are for ${describeProtection(event.data)}`, ...change };
  }
  if (event.type === 'DownloadUrlCreated') {
    const { packageId, filename, expiresAt } = event.data;
    const summary = `Gave out an address to download ${filename}, until ${expiresAt}`;
    return {
      targetType: 'PACKAGE',
      targetId: packageId,
      targetLabel: filename,
      summary,
      details: event.data,
      origin: null,
    };
  }
  const { path, reason, unrecorded } = event.data;
  const more = unrecorded > 0 ? `; ${counted(unrecorded, 'more download')} before it` : '';
  const summary = `Refused the download of ${path}: ${reason}${more}`;
  return { targetType: 'SERVER', targetId: serverId, targetLabel: null, summary, details: event.data };
}

declareEvents({ family: downloadEvents, targets: ['SERVER', 'PACKAGE'], describe: describeDownloadEvent });
