import { describe, expect, it } from 'vitest';
import { FeedTurns } from './feed-turns.js';

const MINUTE_MS = 60_000;

/** Opens feeds one after the other, each after so many minutes. Returns which of them were let in. */
function open(processes: readonly string[], everyMinutes = 0): boolean[] {
  let now = 0;
  const turns = new FeedTurns(() => now);
  let current: string | null = null;
  return processes.map((process) => {
    now += everyMinutes * MINUTE_MS;
    const isIn: boolean = current === null || turns.mayDisplace('peer', process, current);
    if (isIn) current = process;
    return isIn;
  });
}

describe('the feed of a peer', () => {
  it('is opened again by the same process as often as it likes', () => {
    expect(open(Array.from({ length: 20 }, () => 'a'))).not.toContain(false);
  });

  it('is opened by each process of a server that is started again and again', () => {
    expect(open(Array.from({ length: 20 }, (_, nth) => `process ${nth}`))).not.toContain(false);
  });

  it('is passed on within a server, and back', () => expect(open(['a', 'b', 'a'])).not.toContain(false));

  it('stays with one of two servers that both come back', () => {
    expect(open(['a', 'b', 'a', 'b', 'b', 'b', 'a', 'b'])).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  it('stays with it for as long as the other one tries', () => {
    expect(open(['a', 'b', 'a', 'b', 'b', 'b', 'b', 'b'], 9)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('is passed on again after a quiet time', () =>
    expect(open(['a', 'b', 'a', 'b', 'a', 'b'], 11)).not.toContain(false));
});
