/**
 * Codes with which a peer refuses us until an administrator there changes something, in words for the administrator
 * here. It is no use to ask again at once.
 */
const STANDING_REFUSALS: ReadonlyMap<string, string> = new Map([
  [
    'PEER_NOT_SERVED',
    'it sends nothing to this server. Its policy for this server is RECEIVE_ONLY; ask its administrator to change that',
  ],
  ['PEER_UNREGISTERED', 'it has unregistered this server. Unregister it here too, or register anew with an invitation'],
  ['PEER_SUSPENDED', 'it has suspended the exchange with this server. Ask its administrator to resume it'],
]);

/** What a peer's refusal means when it is one that stands; null for any other code. */
export const explainStandingRefusal = (code: string | null): string | null => STANDING_REFUSALS.get(code ?? '') ?? null;
