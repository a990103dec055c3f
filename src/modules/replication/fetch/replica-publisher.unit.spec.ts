import type { CommandBus } from '@nestjs/cqrs';
import { describe, expect, it, vi } from 'vitest';
import type { JobQueue } from '../../../ports/job-queue.port.js';
import type { PackageStorage } from '../../../ports/package-storage.port.js';
import { type FetchPlan, PlanFetch, PublishReplica, RecordDamage } from './replica-progress.command.js';
import type { ChunkDigests, RunningDigests } from './package-digests.js';
import { Delays } from './delays.js';
import { ReplicaPublisher } from './publish-replica.job.js';
import { MemoryLocks } from '../../../../test/support/memory-locks.js';

const plan: FetchPlan = {
  packageId: 'p',
  filename: 'Foo.pkg',
  size: 20 << 20,
  sha256: 'good',
  chunkCount: 20,
  round: 1,
  verified: [{ first: 0, count: 20 }],
  holders: [{ peerId: 'a', whole: true, downstream: false }],
};

/** `inPlace`: digest of what is in the packages folder. `plans`: what each look at the replica gives. */
function setUp(
  inPlace: string | null,
  plans: (FetchPlan | null)[],
  finish: () => Promise<string> = async () => 'good',
) {
  const told: object[] = [];
  const execute = async (command: object) => {
    if (command instanceof PlanFetch) return plans.shift() ?? null;
    told.push(command);
    return command instanceof RecordDamage && command.damage.round > 1;
  };
  const discard = vi.fn<(packageId: string) => Promise<void>>().mockResolvedValue();
  const publish = vi.fn<() => Promise<void>>().mockResolvedValue();
  // Each fake has what the worker calls.
  const fake = <T>(parts: object) => parts as unknown as T;
  const commands = fake<CommandBus>({ execute });
  const publisher = new ReplicaPublisher(
    commands,
    fake<PackageStorage>({
      digestStored: async () => inPlace,
      reserveReplica: async () => ({ findDamagedChunks: async () => [{ first: 3, count: 2 }], publish }),
      discardReplica: discard,
    }),
    fake<RunningDigests>({ finish }),
    fake<ChunkDigests>({ digestsOf: async () => Buffer.alloc(0) }),
    new Delays(commands, fake<JobQueue>({})),
    new MemoryLocks(),
  );
  const run = () => publisher.publishReplica('p', new AbortController().signal);
  return { run, told, publish, discard };
}

describe('the publication of a replica', () => {
  it('puts the file in place and tells', async () => {
    const { run, told, publish } = setUp(null, [plan]);
    await run();
    expect(publish).toHaveBeenCalledOnce();
    expect(told).toEqual([new PublishReplica('p')]);
  });

  it('only tells when a crash came after the rename', async () => {
    const { run, told, publish } = setUp('good', [plan]);
    await run();
    expect(publish).not.toHaveBeenCalled();
    expect(told).toEqual([new PublishReplica('p')]);
  });

  it('does not take a file of the right size for the right file', async () => {
    const { run, publish } = setUp('begun for the next request', [plan]);
    await run();
    expect(publish).toHaveBeenCalledOnce();
  });

  it('tells which chunks are damaged when the whole is wrong, and keeps the rest unless that fails the replica', async () => {
    const { run, told, publish, discard } = setUp(null, [plan, { ...plan, round: 2 }], async () => 'bad');
    const damage = (round: number) =>
      new RecordDamage({ packageId: 'p', round, actual: 'bad', lost: [{ first: 3, count: 2 }] });
    await run();
    expect(told).toEqual([damage(1)]);
    expect(discard).not.toHaveBeenCalled();
    await run();
    expect(told[1]).toEqual(damage(2));
    expect(discard).toHaveBeenCalledWith('p');
    expect(publish).not.toHaveBeenCalled();
  });

  it('looks again when it comes while another runs, which may be for an earlier request', async () => {
    const { run, told } = setUp(null, [null, { ...plan, round: 2 }]);
    await Promise.all([run(), run()]);
    expect(told).toEqual([new PublishReplica('p')]);
  });

  it('takes its turn after one that failed', async () => {
    const finish = vi
      .fn<() => Promise<string>>()
      .mockRejectedValueOnce(new Error('The file is gone'))
      .mockResolvedValue('good');
    const { run, told } = setUp(null, [plan, plan, plan], finish);
    const [first, second] = await Promise.allSettled([run(), run()]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(told).toEqual([new PublishReplica('p')]);
  });
});
