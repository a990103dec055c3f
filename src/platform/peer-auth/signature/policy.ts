/** What a signature of a call between servers must look like. A change needs a new tag. */
export const SIGNATURE_TAG = 'odst-peer-v1';
export const ALGORITHM = 'ed25519';

/** Header with the server id of the one who is called: a call that was overheard opens no other server. */
export const RECIPIENT_HEADER = 'odst-recipient';

export const SIGNED_COMPONENTS = ['@method', '@authority', '@path', '@query', 'content-digest'] as const;
export const SIGNATURE_PARAMETERS = ['created', 'expires', 'nonce', 'keyid', 'tag'] as const;

/** How long a signature may live, and how far two clocks may be apart. */
export const LIFETIME_SECONDS = 60;
export const CLOCK_TOLERANCE_SECONDS = 60;

export const NONCE_FORMAT = /^[A-Za-z0-9_-]{16,100}$/;
