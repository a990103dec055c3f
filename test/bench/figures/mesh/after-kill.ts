import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stopAll, type BenchServer } from '../../bench-server.js';
import { inSeconds, type BenchContext, type Figure, type Result } from '../../figure.js';
import { makeFile, median, shell, timed, warm } from '../../machine.js';
import { startChain } from './chain.js';

const NAMES = ['kill-a', 'kill-b', 'kill-c', 'kill-d'];
const SIZE = 200 * 1024 * 1024;
/** How long the third server is away beside its start: not at all, and until the others wait their longest time. */
const AWAY_MS = [0, 40_000];

interface Scene extends BenchContext {
  readonly servers: readonly BenchServer[];
  readonly file: string;
}

/** True while a server is fetching a package. */
const isFetching = ({ process }: BenchServer): boolean => {
  const staging = join(process.options.dataDir, 'staging');
  return existsSync(staging) && readdirSync(staging).some((name) => name.startsWith('replica'));
};

/** Seconds from the moment when the third server is ready again until the last one serves the package. */
async function timeAfterKill({ servers, file }: Scene, awayMs: number, run: number): Promise<number> {
  const [a, , c, d] = servers;
  if (!a || !c || !d) throw new Error('This chain has four servers');
  const filename = `after-kill-${awayMs}-${run}.pkg`;
  const uploaded = a.upload(file, filename);
  while (!isFetching(d)) await delay(2);
  await c.kill();
  await delay(awayMs);
  await c.restart();
  const seconds = await timed(() => d.waitUntilServed(filename));
  await a.remove(await uploaded);
  for (const server of servers) await server.waitUntilGone(filename);
  return seconds;
}

/** A-B-C-D on one machine: C is killed while a package passes, and started again. */
export const afterKill: Figure = async (context) => {
  const file = join(context.folder, 'after-kill-source');
  await makeFile(file, SIZE);
  const servers = await startChain(context.folder, NAMES);
  const scene = { ...context, servers, file };
  try {
    const results: Result[] = [];
    for (const awayMs of AWAY_MS) {
      const times: number[] = [];
      for (let run = 0; run < context.runs; run++) {
        await warm(context.folder);
        times.push(await timeAfterKill(scene, awayMs, run));
      }
      results.push({
        what: `served after a SIGKILL (away for ${awayMs / 1_000} s)`,
        ours: times.map(inSeconds).join(', '),
        rival: 'a chain of 4, 200 MiB, the third one killed',
        value: median(times),
        mark: { atMost: 3 },
      });
    }
    return results;
  } finally {
    await stopAll(servers);
    await shell(`rm -f '${file}'`);
  }
};
