/** Largest append by default (`MaxAppendSize`). */
export const MAX_APPEND_BYTES = 1024 * 1024;

/** The server reads messages up to the largest record of the transaction file. */
export const MAX_MESSAGE_BYTES = 17 * 1024 * 1024;

/** Events that one page of a search examines if the client names no `max`. */
export const DEFAULT_SEARCH_WINDOW = 32;

/** Events that a live subscription may lie behind before it falls back to catching up. */
export const LIVE_BUFFER = 64;
