import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { ProcessRole, Settings } from '../runtime/settings.js';
import { RunningProcesses } from './running-processes.js';

type Others = readonly { role: ProcessRole; ageMs: number }[];

/** A process that sees others as it is told; null is a database that is away. */
function setUp(role: ProcessRole) {
  let others: Others | null = [];
  const query = async (sql: string) => {
    if (others === null) throw new Error('away');
    return sql.includes('WITH own') ? others : [];
  };
  const processes = new RunningProcesses({ query } as unknown as DataSource, { role } as Settings);
  const missingAt = async (second: number, seen: Others | null) => {
    others = seen;
    await processes.beat(second * 1_000);
    return processes.findMissing(second * 1_000).map((missing) => missing.role);
  };
  return { processes, missingAt };
}

const seen = (role: ProcessRole, ageMs = 500) => ({ role, ageMs });

describe('the processes of a server', () => {
  beforeEach(() => Logger.overrideLogger(false));
  afterEach(() => Logger.overrideLogger(['error', 'warn', 'log']));

  it('are complete with an api and a worker, and with one that does both', async () => {
    expect(await setUp('all').missingAt(100, [])).toEqual([]);
    for (const [own, other] of [
      ['api', 'worker'],
      ['worker', 'api'],
      ['api', 'all'],
      ['worker', 'all'],
    ] as const) {
      const { missingAt } = setUp(own);
      await missingAt(0, []);
      expect(await missingAt(60, [seen(own), seen(other)])).toEqual([]);
    }
  });

  it('lack a role when nobody with it was seen for 10 s', async () => {
    const { processes, missingAt } = setUp('api');
    await missingAt(0, [seen('worker')]);
    expect(await missingAt(20, [seen('worker', 9_999), seen('api')])).toEqual([]);
    expect(await missingAt(22, [seen('worker', 11_999), seen('api')])).toEqual(['worker']);
    expect(processes.findMissing(22_000)[0]?.words).toContain('ODST_ROLE=worker');
    expect(await missingAt(24, [seen('worker', 100)])).toEqual([]);
  });

  it('may still be starting for 10 s, whatever there was before', async () => {
    const { missingAt } = setUp('worker');
    expect(await missingAt(0, [seen('api', 3_600_000)])).toEqual([]);
    expect(await missingAt(9, [])).toEqual([]);
    expect(await missingAt(10, [])).toEqual(['api']);
  });

  it('are not judged while the database is away, nor at once after it has lost what was written', async () => {
    const { missingAt } = setUp('api');
    await missingAt(0, [seen('worker')]);
    await missingAt(30, [seen('worker')]);
    for (const second of [32, 40, 90]) expect(await missingAt(second, null)).toEqual([]);
    expect(await setUp('api').missingAt(90, null)).toEqual([]);
    const emptied = setUp('api');
    await emptied.missingAt(0, []);
    await emptied.missingAt(30, [seen('worker')]);
    expect(await emptied.missingAt(32, [])).toEqual([]);
  });

  it('make a problem with what to do when a role is missing', async () => {
    const { processes, missingAt } = setUp('api');
    await missingAt(0, []);
    await missingAt(60, []);
    const problem = { kind: 'ROLE_MISSING', where: 'ODST_ROLE=worker', count: 1, what: expect.stringMatching(/\.$/) };
    expect(await processes.findProblems(60_000)).toMatchObject([problem]);
    expect(await processes.findProblems(60_000)).toMatchObject([
      { advice: expect.stringContaining('Start a process') },
    ]);
  });
});
