import { open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { eventsOf, type LoggedEvent } from './log-of.js';
import type { ServerUnderTest } from './server-under-test.js';

const fileOf = (server: ServerUnderTest, packageId: string): string => join(server.dataDir, 'packages', packageId);

/** Changes one byte in each of these chunks of a stored file, as a bad disk does. */
export async function flipBytes(
  server: ServerUnderTest,
  packageId: string,
  ...chunks: readonly number[]
): Promise<void> {
  const file = await open(fileOf(server, packageId), 'r+');
  try {
    for (const chunk of chunks) {
      const byte = Buffer.alloc(1);
      const position = chunk * 1024 * 1024 + 4711;
      await file.read(byte, 0, 1, position);
      await file.write(Buffer.of(byte.readUInt8(0) ^ 0xff), 0, 1, position);
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}

export const cutOff = (server: ServerUnderTest, packageId: string, size: number): Promise<void> =>
  truncate(fileOf(server, packageId), size);

export const deleteFile = (server: ServerUnderTest, packageId: string): Promise<void> => rm(fileOf(server, packageId));

export async function verify(server: ServerUnderTest, id: string): Promise<void> {
  await (await server.client()).ask('mutation ($id: ID!) { verifyPackage(id: $id) }', z.unknown(), { id });
}

const Shown = z.object({
  package: z.object({
    state: z.string(),
    lastVerifiedAt: z.string().nullable(),
    replicas: z.array(
      z.object({ local: z.boolean(), state: z.string(), delay: z.object({ code: z.string() }).nullable() }),
    ),
  }),
});
export type ShownPackage = z.output<typeof Shown>['package'];

/** The package as the server shows it. */
export async function shown(server: ServerUnderTest, id: string): Promise<ShownPackage> {
  const query =
    'query ($id: ID!) { package(id: $id) { state lastVerifiedAt replicas { local state delay { code } } } }';
  return (await (await server.client()).ask(query, Shown, { id })).package;
}

const Counted = z.object({ count: z.number() });

/** What happened since the last damage: null when there was none, or it is not mended. */
export async function mending(
  server: ServerUnderTest,
  id: string,
): Promise<{ damage: LoggedEvent; fetchedChunks: number } | null> {
  const events = await eventsOf(server, id);
  const at = events.findLastIndex(({ type }) => type === 'ReplicaDamaged');
  const damage = events[at];
  const since = events.slice(at + 1);
  if (!damage || !since.some(({ type }) => type === 'ReplicaPublished')) return null;
  const verified = since.filter(({ type }) => type === 'ChunksVerified');
  return { damage, fetchedChunks: verified.reduce((sum, { data }) => sum + Counted.parse(data).count, 0) };
}
