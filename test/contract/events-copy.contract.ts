import { afterEach, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/kernel/events.js';
import type { EventStore } from '../../src/ports/event-store.port.js';
import { copy, killMidway } from '../support/copy-tool.js';
import { writeSampleLog } from '../support/sample-log.js';
import { oneEvent } from './events.js';
import { readAll } from './follow.js';

/** A log of its own on an engine, empty at first. */
export interface CopyEnd {
  /** As `--from` and `--to` take it. */
  readonly place: string;
  readonly store: EventStore;
  dispose(): Promise<void>;
}

const comparable = (events: readonly RecordedEvent[]) => events.map((event) => ({ ...event, cursor: null }));

/** What `events:copy` must keep between two engines. */
export function eventsCopyContract(
  name: string,
  startSource: () => Promise<CopyEnd>,
  startTarget: () => Promise<CopyEnd>,
): void {
  describe(`events:copy ${name}`, () => {
    const ends: CopyEnd[] = [];
    const start = async (): Promise<[CopyEnd, CopyEnd]> => {
      const pair: [CopyEnd, CopyEnd] = [await startSource(), await startTarget()];
      ends.push(...pair);
      return pair;
    };
    afterEach(async () => {
      for (const end of ends.splice(0)) await end.dispose();
    });

    it('copies ids, order, times, data and metadata; the read models of both are the same', async () => {
      const [source, target] = await start();
      const count = await writeSampleLog(source.store, 60);
      const result = await copy(source.place, target.place);
      expect(result).toMatchObject({
        events: count,
        already: 0,
        copied: count,
        behind: 0,
        verified: { events: count },
      });
      expect(result.verified?.readModelRows).toBeGreaterThan(count);
      expect(comparable(await readAll(target.store))).toEqual(comparable(await readAll(source.store)));
    });

    it('copies an empty log, and then what came', async () => {
      const [source, target] = await start();
      expect(await copy(source.place, target.place)).toMatchObject({ events: 0, copied: 0 });
      const first = await writeSampleLog(source.store, 10);
      expect(await copy(source.place, target.place)).toMatchObject({ already: 0, copied: first });
      const second = await writeSampleLog(source.store, 10, 'later');
      expect(await copy(source.place, target.place)).toMatchObject({
        already: first,
        copied: second,
        verified: { events: first + second },
      });
      expect(await copy(source.place, target.place)).toMatchObject({ already: first + second, copied: 0 });
    });

    it(
      'goes on after SIGKILL, again and again, also when the source grew meanwhile',
      { timeout: 180_000 },
      async () => {
        const [source, target] = await start();
        let count = await writeSampleLog(source.store, 400);
        for (let i = 0; i < 2; i++) {
          await killMidway(source.place, target.place, target.store);
          const [ours, theirs] = [await readAll(source.store), await readAll(target.store)];
          expect(theirs.length).toBeGreaterThan(0);
          expect(comparable(theirs)).toEqual(comparable(ours.slice(0, theirs.length)));
          count += await writeSampleLog(source.store, 100, `later ${i}`);
        }
        expect(await copy(source.place, target.place)).toMatchObject({ events: count, verified: { events: count } });
      },
    );

    it('refuses a target with other events in it and changes nothing', async () => {
      const [source, target] = await start();
      await writeSampleLog(source.store, 5);
      await target.store.append('theirs', oneEvent(), 'none');
      const before = await readAll(target.store);
      await expect(copy(source.place, target.place)).rejects.toThrow(
        /^The target is not the beginning of the source: event 1 .*Nothing was changed/,
      );
      expect(await readAll(target.store)).toEqual(before);
    });

    it('refuses a target that went on by itself', async () => {
      const [source, target] = await start();
      const count = await writeSampleLog(source.store, 5);
      await copy(source.place, target.place, '--no-verify');
      await target.store.append('theirs', oneEvent(), 'none');
      await expect(copy(source.place, target.place)).rejects.toThrow(
        new RegExp(`contains more than the source, which ends after ${count} events`),
      );
      await source.store.append('ours', oneEvent(), 'none');
      await expect(copy(source.place, target.place)).rejects.toThrow(new RegExp(`event ${count + 1} of the target`));
    });

    it('refuses to copy a log to itself', async () => {
      const [source, target] = await start();
      await expect(copy(source.place, source.place)).rejects.toThrow(/same log/);
      expect(await target.store.head()).toBeNull();
    });
  });
}
