import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultProxy } from '../fault-proxy.js';
import { RedisUnderTest } from '../redis.js';
import { ServerUnderTest } from '../server-under-test.js';
import { EventStoreDbProcess } from './eventstoredb-process.js';
import { OutsidePostgres } from './outside-postgres.js';

/** One server scaled out: several processes on one set of engines, with a load balancer in front. */
export class Cluster {
  private constructor(
    readonly postgres: OutsidePostgres,
    readonly events: EventStoreDbProcess,
    readonly redis: RedisUnderTest,
    readonly dataDir: string,
    readonly front: FaultProxy,
    readonly apis: ServerUnderTest[],
    readonly workers: ServerUnderTest[],
  ) {}

  static async start(name: string, { apis, workers }: { apis: number; workers: number }): Promise<Cluster> {
    const [postgres, events, redis] = await Promise.all([
      OutsidePostgres.start(),
      EventStoreDbProcess.start(),
      RedisUnderTest.start(),
    ]);
    const dataDir = mkdtempSync(join(tmpdir(), `odst-${name}-`));
    const members: ServerUnderTest[] = [];
    let turn = 0;
    const front = await new FaultProxy(
      () => alive(members)[turn++ % Math.max(1, alive(members).length)]?.port ?? 1,
    ).start();
    const engines = { DATABASE_URL: postgres.url, EVENTSTOREDB_URL: events.url, REDIS_URL: redis.url };
    const env = { ...engines, ODST_NAME: name, ODST_URL: front.url };
    const process = (role: string) => (_: unknown, i: number) =>
      new ServerUnderTest(`${name}-${role}-${i}`, { ...env, ODST_ROLE: role }, dataDir);
    members.push(...Array.from({ length: apis }, process('api')));
    const others = Array.from({ length: workers }, process('worker'));
    await Promise.all([...members, ...others].map((member) => member.start()));
    return new Cluster(postgres, events, redis, dataDir, front, members, others);
  }

  get processes(): readonly ServerUnderTest[] {
    return [...this.apis, ...this.workers];
  }

  /** An api process that runs. */
  get api(): ServerUnderTest {
    const [first] = alive(this.apis);
    if (!first) throw new Error('No api process runs');
    return first;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.stop()));
    await this.front.stop();
    await Promise.all([this.postgres.dispose(), this.events.dispose(), this.redis.dispose()]);
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

const alive = (processes: readonly ServerUnderTest[]): ServerUnderTest[] =>
  processes.filter(({ isRunning }) => isRunning);

/** The process that has written and sent most so far (Linux). */
export function busiest(processes: readonly ServerUnderTest[]): ServerUnderTest {
  const written = ({ pid }: ServerUnderTest): number =>
    Number(/wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
  const [most] = alive(processes).sort((a, b) => written(b) - written(a));
  if (!most) throw new Error('No process runs');
  return most;
}
