/** What a signature of a call between servers must look like. A change needs a new tag. */
export const TAG = 'odst-peer-v1';
export const ALGORITHM = 'ed25519';

/** Header with the server id of the one who is called: a call that was overheard opens no other server. */
export const RECIPIENT = 'odst-recipient';

export const COMPONENTS = ['@method', '@authority', '@path', '@query', 'content-digest'] as const;
export const PARAMETERS = ['created', 'expires', 'nonce', 'keyid', 'tag'] as const;

/** How long a signature may live, and how far two clocks may be apart. */
export const LIFETIME_SECONDS = 60;
export const CLOCK_TOLERANCE_SECONDS = 60;

export const NONCE = /^[A-Za-z0-9_-]{16,100}$/;
