import { afterEach, describe, expect, it, vi } from 'vitest';
import { SavedPlace } from './saved-place.js';

afterEach(() => {
  vi.useRealTimers();
});

function place(fail: () => boolean = () => false) {
  vi.useFakeTimers();
  const saved: string[] = [];
  const errors: unknown[] = [];
  const save = async (value: string): Promise<void> => {
    if (fail()) throw new Error('away');
    saved.push(value);
  };
  return { place: new SavedPlace(save, (error) => errors.push(error)), saved, errors };
}

describe('a saved place', () => {
  it('is saved once for all that moved within a moment', async () => {
    const { place: it, saved } = place();
    for (const value of ['1', '2', '3']) it.move(value);
    await vi.advanceTimersByTimeAsync(300);
    expect(saved).toEqual(['3']);
    it.move('4');
    await vi.advanceTimersByTimeAsync(300);
    expect(saved).toEqual(['3', '4']);
  });

  it('is saved at once when its reader ends', async () => {
    const { place: it, saved } = place();
    it.move('1');
    it.move('2');
    await it.settled();
    expect(saved).toEqual(['2']);
  });

  it('tells of a failure, and is saved with the next move', async () => {
    let away = true;
    const { place: it, saved, errors } = place(() => away);
    it.move('1');
    await vi.advanceTimersByTimeAsync(300);
    expect(errors).toHaveLength(1);
    away = false;
    it.move('2');
    await vi.advanceTimersByTimeAsync(300);
    expect(saved).toEqual(['2']);
  });
});
