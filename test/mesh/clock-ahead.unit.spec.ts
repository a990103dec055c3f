import { Logger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { MAX_AHEAD_MS, stampMs } from '../../src/kernel/hybrid-clock.js';
import { disagreements } from '../support/mesh/agreement.js';
import { Mesh } from '../support/mesh/mesh.js';
import { Content } from '../support/mesh/mesh-disk.js';
import type { Answered } from '../support/mesh/steps.js';

Logger.overrideLogger(false);

const AHEAD_MS = MAX_AHEAD_MS - 1_000;
const LATE_MS = 3_000;
const MOST_ROUNDS = 50;

/** The last of them is not connected to the first. */
const [AHEAD, RIGHT, LATE] = [0, 1, 2] as const;

it.each([1, 2, 3, 4, 5])(
  'a server 4:59 ahead dates nothing that others publish, and loses its filename to them (%s)',
  async (seed) => {
    const clocks = [AHEAD_MS, 0, -LATE_MS];
    const mesh = await Mesh.start({
      seed,
      servers: clocks.map((clockOffMs) => ({ stage: 'Dev', clockOffMs })),
      edges: [
        [AHEAD, RIGHT],
        [RIGHT, LATE],
      ],
    });
    const answered: Answered[] = [];
    const upload = async (server: number, filename: string, content: 'one' | 'two'): Promise<void> => {
      mesh.begin(server, async (process) => {
        const { id } = await process.upload(filename, new Content(content, 2), 'Dev');
        answered.push({ id, server });
      });
      await mesh.idle();
      await mesh.rest();
    };
    const served = (server: number, filename: string) => {
      const row = mesh.server(server).shown().served(filename);
      if (!row) throw new Error(`${server} does not serve ${filename}`);
      return row;
    };

    await upload(AHEAD, 'taken.pkg', 'one');
    expect(stampMs(served(RIGHT, 'taken.pkg').publication)).toBe(mesh.now + AHEAD_MS);
    expect(served(RIGHT, 'taken.pkg').publishedAt.getTime()).toBe(mesh.now);

    await upload(RIGHT, 'other.pkg', 'one');
    expect(stampMs(served(RIGHT, 'other.pkg').publication)).toBe(mesh.now);
    // No time has passed: a stamp that lies ahead would be put off there, as that of the other package still is. What is
    // put off makes a follower begin again, so it may take some rounds until it comes to what is behind.
    for (let round = 0; round < MOST_ROUNDS && !mesh.server(LATE).shown().served('other.pkg'); round++)
      await mesh.rest();
    expect(stampMs(served(LATE, 'other.pkg').publication)).toBe(mesh.now);

    await upload(RIGHT, 'taken.pkg', 'two');
    const { id } = served(RIGHT, 'taken.pkg');
    expect(served(AHEAD, 'taken.pkg').id).toBe(id);
    expect(served(RIGHT, 'taken.pkg').publishedAt.getTime()).toBe(mesh.now);
    expect(mesh.server(LATE).shown().served('taken.pkg')).toBeUndefined();

    mesh.now += LATE_MS + AHEAD_MS;
    await mesh.rest();
    expect([AHEAD, RIGHT, LATE].map((server) => served(server, 'taken.pkg').id)).toEqual([id, id, id]);
    await upload(LATE, 'last.pkg', 'two');
    expect(stampMs(served(LATE, 'last.pkg').publication)).toBe(mesh.now - LATE_MS);
    expect(disagreements(mesh, answered)).toEqual([]);
  },
);
