import { join } from 'node:path';
import { startBenchPair, type BenchServer } from '../bench-server.js';
import { inSeconds, inTurn, type Figure, type Result, type Skipped } from '../figure.js';
import { have, makeFile, shell, timed, warm } from '../machine.js';

const DURABLE_AND_CHECKED = (copy: string, folder: string) => `sync '${copy}' '${folder}'; openssl dgst -sha1 '${copy}'`;

/** From "B may follow A again" to "B serves it": feed, manifest, chunks, both checks, publication. */
async function ours(a: BenchServer, b: BenchServer, file: string, folder: string): Promise<number> {
  await b.setPeer('suspendPeer');
  const id = await a.upload(file, 'bench.pkg');
  // The upload used up the memory that was warmed for this run.
  warm(folder);
  const seconds = await timed(async () => {
    await b.setPeer('resumePeer');
    await b.waitUntilServed('bench.pkg');
  });
  await a.remove(id);
  while (await b.serves('bench.pkg')) await new Promise(setImmediate);
  return seconds;
}

/** A large package to another server, against the usual ways to copy a file, made durable and checked. */
export const replicate: Figure = async (context) => {
  const { folder, size } = context;
  const file = join(folder, 'replicate-source');
  const copy = join(folder, 'replicate-copy');
  await makeFile(file, size);
  const [a, b] = await startBenchPair(folder);
  const removeCopy = () => shell(`rm -f '${copy}'`);
  const rival = (command: string) => async () => {
    const seconds = await timed(() => shell(`${command}; ${DURABLE_AND_CHECKED(copy, folder)}`));
    await removeCopy();
    return seconds;
  };
  try {
    const served = await a.upload(file, 'curl-source.pkg');
    await b.waitUntilServed('curl-source.pkg');
    const results: (Result | Skipped)[] = [];
    const times = await inTurn(context, {
      ours: () => ours(a, b, file, folder),
      ...(have('rsync') && { rsync: rival(`rsync -aW --fsync '${file}' '${copy}'`) }),
      ...(have('curl') && { curl: rival(`curl -sSo '${copy}' '${a.url}/Packages/curl-source.pkg'`) }),
    } as Record<'ours' | 'rsync' | 'curl', () => Promise<number>>);
    for (const name of ['rsync', 'curl'] as const) {
      const label = name === 'rsync' ? 'rsync -aW --fsync' : 'curl from A + fsync';
      const what = `replication / ${label} + openssl sha1`;
      if (!Number.isFinite(times[name])) results.push({ what, skipped: `${name} is not installed` });
      else {
        const mark = name === 'rsync' ? { atMost: 1.3 } : { atMost: 1.5 };
        results.push({ what, ours: inSeconds(times.ours), rival: `${name} … ${inSeconds(times[name])}`, value: times.ours / times[name], mark });
      }
    }
    await a.remove(served);
    return results;
  } finally {
    await Promise.all([a.process.stop(), b.process.stop()]);
    await shell(`rm -f '${file}' '${copy}'`);
  }
};
