import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until the answer is neither null, undefined nor false; fails after `timeoutMs` with what was waited for. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let lastError: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== null && answer !== undefined && answer !== false) return answer;
    } catch (error) {
      lastError = error;
    }
    await delay(20);
  }
  throw new Error(`Waited in vain for ${what}`, { cause: lastError });
}
