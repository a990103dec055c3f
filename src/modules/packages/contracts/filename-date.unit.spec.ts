import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridClock, type Stamp, stampMs } from '../../../kernel/hybrid-clock.js';
import { dateOfFilename, type Namesake, stampToFollow } from './filename-date.js';

const START = 1_700_000_000_000;
const stamp = (ms: number, server = 'a'): Stamp => `${(START + ms).toString(16).padStart(12, '0')}-0000-${server}`;
const second = (ms: number): number => Math.floor((START + ms) / 1_000);
const namesake = (packageId: string, publication: number, change: Partial<Namesake> = {}): Namesake => ({
  packageId,
  publication: stamp(publication),
  stageStamp: stamp(publication),
  removal: null,
  isAwaited: false,
  ...change,
});

describe('the date of a filename', () => {
  const v1 = namesake('v1', 1_000);

  it('is that of the publication while there is one package, whatever its stage was', () => {
    expect(dateOfFilename({ ...v1, stageStamp: stamp(9_000) }, [{ ...v1, stageStamp: stamp(9_000) }])).toBe(
      second(1_000),
    );
  });

  it('is that of the latest change of any package that has or had it', () => {
    const removed = namesake('v2', 5_000, { removal: stamp(8_000) });
    const demoted = namesake('v3', 6_000, { stageStamp: stamp(12_500) });
    expect(dateOfFilename(v1, [v1, removed])).toBe(second(8_000));
    expect(dateOfFilename(v1, [v1, removed, demoted])).toBe(second(12_500));
  });

  it('is the later one of two contents that two servers have published within one second', () => {
    const [v2, v3] = [namesake('v2', 5_100), namesake('v3', 5_200)];
    expect(dateOfFilename(v2, [v1, v2])).toBe(second(5_100));
    expect(dateOfFilename(v3, [v1, v2, v3])).toBe(second(5_100) + 3);
  });

  it('is another before the content that moves it has arrived', () => {
    const [v2, v3] = [namesake('v2', 5_000, { isAwaited: true }), namesake('v3', 9_000, { isAwaited: true })];
    const arrived = (one: Namesake) => ({ ...one, isAwaited: false });
    expect(dateOfFilename(v1, [v1, v2, v3])).toBe(second(9_000) - 2);
    expect(dateOfFilename(arrived(v2), [v1, arrived(v2), v3])).toBe(second(9_000) - 1);
    expect(dateOfFilename(arrived(v3), [v1, v2, arrived(v3)])).toBe(second(9_000));
  });

  it('is not moved for a package that is alone, nor far ahead of our clock', () => {
    expect(stampToFollow('v1', [v1], new Date(START))).toBeNull();
    expect(stampToFollow('v2', [v1], new Date(START))).not.toBeNull();
    expect(stampToFollow('v2', [namesake('v1', 10 * 60_000)], new Date(START))).toBeNull();
  });
});

/** A change of one of the packages that share a filename, within a second of the one before or later. */
const Step = fc.record({
  waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 3_000 })),
  packageId: fc.constantFrom('v1', 'v2', 'v3', 'v4'),
  what: fc.constantFrom('upload', 'demote', 'promote', 'remove'),
});
type Known = Namesake & { readonly reaches: boolean };

const isHere = ({ removal, publication, reaches }: Known): boolean =>
  reaches && !(removal !== null && removal > publication);
const servedOf = (known: readonly Known[]): Known | undefined =>
  known.filter((one) => isHere(one) && !one.isAwaited).toSorted((a, b) => (a.publication < b.publication ? 1 : -1))[0];

/** A server that makes all changes. Gives the registers of the package after each step that changes one. */
function runServer(steps: readonly { waitMs: number; packageId: string; what: string }[]): readonly Known[] {
  let now = START;
  const clock = new HybridClock('a', () => now);
  const known = new Map<string, Known>();
  const changes: Known[] = [];
  for (const { waitMs, packageId, what } of steps) {
    now += waitMs;
    const before = known.get(packageId);
    if (what !== 'upload' && (!before || (before.removal ?? '') > before.publication)) continue;
    const registers = before ? [before.publication, before.stageStamp, before.removal] : [];
    const follows = stampToFollow(packageId, [...known.values()], new Date(now));
    const holders = [...known.values()].map(({ publication }) => publication);
    const at = clock.nextStamp([...registers, follows, ...(what === 'upload' ? holders : [])]);
    const base = before ?? {
      packageId,
      publication: at,
      stageStamp: at,
      removal: null,
      isAwaited: false,
      reaches: true,
    };
    const after: Known =
      what === 'upload'
        ? { ...base, publication: at }
        : what === 'remove'
          ? { ...base, removal: at }
          : { ...base, stageStamp: at, reaches: what === 'promote' };
    known.set(packageId, after);
    changes.push(after);
  }
  return changes;
}

/**
 * What a server shows after each of the changes: the content and the date. `arrives` says after which changes all bytes have
 * arrived; without it, the server has them all along, as where they were uploaded.
 */
function showAll(changes: readonly Known[], arrives?: (i: number) => boolean): readonly (readonly [string, number])[] {
  const known = new Map<string, Known>();
  const held = new Set<string>();
  const shown: (readonly [string, number])[] = [];
  const look = (): void => {
    const all = [...known.values()].map((one) => ({
      ...one,
      isAwaited: arrives !== undefined && isHere(one) && !held.has(one.packageId),
    }));
    const served = servedOf(all);
    if (served) shown.push([served.packageId, dateOfFilename(served, all)]);
  };
  changes.forEach((change, i) => {
    known.set(change.packageId, change);
    if (!isHere(change)) held.delete(change.packageId);
    look();
    if (!arrives?.(i)) return;
    for (const one of known.values()) if (isHere(one)) held.add(one.packageId);
    look();
  });
  for (const one of known.values()) held.add(one.packageId);
  look();
  return shown;
}

/** Contents that were shown under a date of another content, or before a date that was shown earlier. */
function faultsOf(shown: readonly (readonly [string, number])[]): readonly string[] {
  const contents = new Map<number, string>();
  let last = -1;
  return shown.flatMap(([content, date]) => {
    const other = contents.get(date) ?? content;
    const faults = [
      ...(other === content ? [] : [`${content} has the date ${date} of ${other}`]),
      ...(date < last ? [`${date} was shown after ${last}`] : []),
    ];
    contents.set(date, content);
    last = date;
    return faults;
  });
}

describe('whatever happens under a filename', () => {
  const properties = fc.array(Step, { minLength: 1, maxLength: 25 });
  const arrivals = fc.array(fc.boolean(), { minLength: 25, maxLength: 25 });

  it('no date stands for two contents, and dates move forward, where the changes are made', () => {
    fc.assert(
      fc.property(properties, (steps) => {
        expect(faultsOf(showAll(runServer(steps)))).toEqual([]);
      }),
    );
  });

  it('the same holds on a server that gets the bytes later, and at the end both show the same', () => {
    fc.assert(
      fc.property(properties, arrivals, (steps, arrived) => {
        const changes = runServer(steps);
        const shown = showAll(changes, (i) => arrived[i] === true);
        expect(faultsOf(shown)).toEqual([]);
        const served = servedOf([...new Map(changes.map((one) => [one.packageId, one])).values()]);
        const atEnd = (all: typeof shown) => (served ? all.at(-1) : undefined);
        expect(atEnd(shown)).toEqual(atEnd(showAll(changes)));
      }),
    );
  });

  it('stamps stay near the time of the clock', () => {
    const steps = Array.from({ length: 400 }, (_, i) => ({ waitMs: 1, packageId: `v${i % 3}`, what: 'upload' }));
    const ahead = runServer(steps).map(({ publication }) => stampMs(publication) - START);
    expect(Math.max(...ahead)).toBeLessThan(5 * 60_000);
  });
});
