/** Bull takes what a handler throws for the outcome of a try; these say what we want of it. */
const GIVE_UP = -1;
/** After an error that is not from a handler, such as a connection that broke. */
const DEFAULT_RETRY_DELAY_MS = 1_000;

/** The job is tried again in so many milliseconds. */
export class RetryLater extends Error {
  override readonly stack = '';

  constructor(
    readonly delayMs: number,
    reason = 'Put back',
  ) {
    super(reason);
  }
}

/** The job is not tried again, and stays to be seen with its reason. */
export class GaveUp extends Error {
  override readonly stack = '';
}

/** Milliseconds until the next try in the terms of Bull. */
export function retryDelayMs(error: Error): number {
  if (error instanceof GaveUp) return GIVE_UP;
  return error instanceof RetryLater ? error.delayMs : DEFAULT_RETRY_DELAY_MS;
}
