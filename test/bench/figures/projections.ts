import { PostgresLocks } from '../../../src/adapters/locks/postgres/postgres-locks.js';
import { rebuildReadModels } from '../../../src/server/boot/read-models.js';
import type { NewEvent } from '../../../src/kernel/events.js';
import { newId } from '../../../src/platform/runtime/ids.js';
import type { EventStore } from '../../../src/ports/event-store.port.js';
import { inTurn, type Figure } from '../figure.js';
import { metadata, stageChange, withScratchLog } from '../scratch-log.js';

const PACKAGES = 2_000;
const EVENTS_A_PACKAGE = 10;

function published(packageId: string, i: number): NewEvent {
  const stamp = '000001932c4b-0000-0195bb2c-0000-7000-8000-000000000001';
  const data = {
    packageId,
    filename: `package-${i}.pkg`,
    size: 1_000_000,
    sha1: 'a'.repeat(40),
    sha256: 'b'.repeat(64),
    chunkSize: 1048576,
    chunkCount: 1,
    stage: 'Dev',
    stageStamp: stamp,
    publication: stamp,
    firstPublishedAt: '2026-01-01T00:00:00Z',
    origin: { serverId: metadata.serverId, name: 'A' },
    uploadedBy: 'admin',
    source: { kind: 'local' },
  };
  return { id: newId(), type: 'PackagePublished', data, metadata };
}

async function fill(store: EventStore): Promise<void> {
  const one = (i: number) => {
    const packageId = newId();
    const changes = Array.from({ length: EVENTS_A_PACKAGE - 1 }, () => stageChange(packageId));
    return store.append(`package-${packageId}`, [published(packageId, i), ...changes], 'none');
  };
  await Promise.all(Array.from({ length: PACKAGES }, (_, i) => one(i)));
}

async function readAll(store: EventStore): Promise<number> {
  const startedAt = performance.now();
  const stop = new AbortController();
  for await (const item of store.subscribe({ after: null, signal: stop.signal })) if (item.kind === 'caughtUp') break;
  stop.abort();
  return (performance.now() - startedAt) / 1000;
}

/** All read models from an existing log, against merely reading that log. */
export const projections: Figure = (context) =>
  withScratchLog(context.folder, async (store, database) => {
    await fill(store);
    const events = PACKAGES * EVENTS_A_PACKAGE;
    const times = await inTurn(
      { ...context, runs: Math.min(3, context.runs) },
      {
        ours: async () => {
          const startedAt = performance.now();
          const locks = new PostgresLocks(database);
          await rebuildReadModels(database, store, locks);
          await locks.close();
          return (performance.now() - startedAt) / 1000;
        },
        reading: () => readAll(store),
      },
    );
    const rate = (seconds: number) => `${(events / seconds).toFixed(0)} events/s`;
    return [
      {
        what: 'all read models rebuilt / just reading the log',
        ours: rate(times.ours),
        rival: `reading ${rate(times.reading)}`,
        value: times.ours / times.reading,
        mark: { atMost: 100 },
      },
    ];
  });
