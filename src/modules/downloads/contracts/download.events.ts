import { type DomainEvent, EventFamily } from '../../../kernel/events.js';

/**
 * Who may download from this server: everybody, who knows a name and a password, who is in certain networks, or only who
 * was given a signed address.
 */
export const PROTECTION_MODES = ['NONE', 'BASIC', 'NETWORK', 'SIGNED'] as const;
export type ProtectionMode = (typeof PROTECTION_MODES)[number];

/** What the current mode does not use is empty. */
export interface DownloadProtection {
  readonly mode: ProtectionMode;
  /** For BASIC: the one read-only account. */
  readonly username: string | null;
  /** For BASIC: names the stored hash of the password. */
  readonly credentialId: string | null;
  /** For NETWORK: addresses and CIDR ranges. */
  readonly networks: readonly string[];
}

/** As endpoints expect it: everybody may download. */
export const UNPROTECTED: DownloadProtection = { mode: 'NONE', username: null, credentialId: null, networks: [] };

/** Stream `downloads`. */
export type DownloadProtectionChanged = DomainEvent<'DownloadProtectionChanged', DownloadProtection>;

/** Stream `download-urls`: who has the address can download the package until it expires. The signature is a secret. */
export type DownloadUrlCreated = DomainEvent<
  'DownloadUrlCreated',
  { readonly packageId: string; readonly filename: string; readonly expiresAt: string }
>;

/** Stream `download-refusals`: a wrong password, signature or network. Not that nothing was shown: clients ask so first. */
export type DownloadRefused = DomainEvent<
  'DownloadRefused',
  { readonly path: string; readonly username: string | null; readonly reason: string; readonly unrecorded: number }
>;

export type DownloadEvent = DownloadProtectionChanged | DownloadUrlCreated | DownloadRefused;

export const downloadEvents = new EventFamily<DownloadEvent>({
  DownloadProtectionChanged: { version: 1 },
  DownloadUrlCreated: { version: 1 },
  DownloadRefused: { version: 1 },
});
