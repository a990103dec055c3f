import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { Json, NewEvent } from '../../src/kernel/events.js';
import type { EventStore } from '../../src/ports/event-store.port.js';
import { publication, recorded, stamp } from './read-side.js';

/** Packages that are written at a time. */
const WRITERS = 16;
const START = Date.UTC(2025, 0, 1);

/** A log such as a server in use has it: uploads, changes and sign-ins by turns. Returns how many events it is. */
export async function writeSampleLog(store: EventStore, packages: number, name = 'sample'): Promise<number> {
  let count = 0;
  const append = async (stream: string, events: readonly [string, Json][]): Promise<void> => {
    const news = events.map(([type, data]): NewEvent => {
      const { metadata } = recorded(type, data);
      const context = { ...metadata, correlationId: v7(), address: count % 7 === 0 ? null : '192.0.2.1' };
      return { id: v7(), type, data, metadata: context, recordedAt: new Date(START + 1000 * count++) };
    });
    await store.append(stream, news, 'any');
  };
  const write = async (i: number): Promise<void> => {
    const filename = `${name}-${i}-ä€😀.pkg`;
    const { events, packageId } = packageEvents(i, filename);
    await append(`package-${packageId}`, events);
    await append('account-refusals', [
      ['SignInRefused', { username: `guest ${i} \\ "`, reason: 'password', unrecorded: 0 }],
    ]);
    if (i % 3 === 0) await append(`package-${packageId}`, changes(i, packageId, filename));
  };
  const numbers = Array.from({ length: packages }, (_, i) => i).values();
  const writer = async (): Promise<void> => {
    for (const i of numbers) await write(i);
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return count;
}

function packageEvents(i: number, filename: string) {
  const data = publication(filename, {
    time: i,
    size: 1_048_576 * (1 + (i % 5)),
    firstPublishedAt: '2025-01-01T00:00:00Z',
  });
  const { packageId, chunkCount } = data;
  const [sha1, sha256] = [20, 32].map((size) => randomBytes(size * chunkCount).toString('base64'));
  const page: Json = { packageId, first: 0, count: chunkCount, sha1: sha1 ?? '', sha256: sha256 ?? '' };
  const published: Json = { ...data };
  const events: [string, Json][] = [
    ['PackageChunksHashed', page],
    ['PackagePublished', published],
  ];
  return { packageId, events };
}

function changes(i: number, packageId: string, filename: string): [string, Json][] {
  const about = { packageId, filename, source: { kind: 'local' } };
  const staged: [string, Json] = [
    'PackageStageChanged',
    { ...about, from: 'Prod', to: 'Test', stamp: stamp(10_000 + i) },
  ];
  return i % 2 === 0 ? [staged] : [staged, ['PackageRemoved', { ...about, stamp: stamp(20_000 + i) }]];
}
