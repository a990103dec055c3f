import { type DomainEvent, EventFamily } from '../../../kernel/events.js';

/**
 * Who may download from this server: everybody; callers with a name and a password; callers in certain networks; or only
 * callers with a signed address.
 */
export const PROTECTION_MODES = ['NONE', 'BASIC', 'NETWORK', 'SIGNED'] as const;
export type ProtectionMode = (typeof PROTECTION_MODES)[number];

/** The protection of downloads. Fields that the mode does not use are empty. */
export interface DownloadProtection {
  readonly mode: ProtectionMode;
  /** For BASIC: the name of the one read-only account. */
  readonly username: string | null;
  /** For BASIC: the id of the stored hash of the password. */
  readonly credentialId: string | null;
  /** For NETWORK: addresses and CIDR ranges. */
  readonly networks: readonly string[];
}

/** The initial protection: everybody may download, as endpoints expect it. */
export const UNPROTECTED: DownloadProtection = { mode: 'NONE', username: null, credentialId: null, networks: [] };

/** An administrator changed the protection. Stream `downloads`. */
export type DownloadProtectionChanged = DomainEvent<'DownloadProtectionChanged', DownloadProtection>;

/**
 * A signed address was given out. Everybody who has it can download the package until it expires. The signature is a
 * secret and not recorded. Stream `download-urls`.
 */
type DownloadUrlCreated = DomainEvent<
  'DownloadUrlCreated',
  { readonly packageId: string; readonly filename: string; readonly expiresAt: string }
>;

/**
 * A download was refused because of a wrong password, signature or network. Calls without credentials are not recorded,
 * because clients call so first. Stream `download-refusals`.
 */
type DownloadRefused = DomainEvent<
  'DownloadRefused',
  { readonly path: string; readonly username: string | null; readonly reason: string; readonly unrecorded: number }
>;

export type DownloadEvent = DownloadProtectionChanged | DownloadUrlCreated | DownloadRefused;

export const downloadEvents = new EventFamily<DownloadEvent>({
  DownloadProtectionChanged: { version: 1 },
  DownloadUrlCreated: { version: 1 },
  DownloadRefused: { version: 1 },
});
