import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditChain } from '../../../src/modules/audit/chain/audit-chain.js';
import { ChainSigner } from '../../../src/modules/audit/chain/chain-signer.js';
import { linkEvents } from '../../../src/modules/audit/chain/chain-entry.js';
import { addLinks, readLastLink, readPlace } from '../../../src/modules/audit/chain/chain-table.js';
import { type HoldOptions, Locks } from '../../../src/ports/locks.port.js';
import { readAll } from '../../contract/follow.js';
import { AuditScene } from '../../support/audit-scene.js';
import { runTask } from '../../support/background-task.js';
import { EventStoreDbScene } from '../../support/eventstoredb-scene.js';
import { waitFor } from '../../support/wait-for.js';

let scene: AuditScene;
beforeEach(async () => (scene = await AuditScene.open()));
afterEach(() => scene.close());

const makeChain = (): AuditChain =>
  new AuditChain(scene.store, scene.dataSource, new ChainSigner(scene.dataSource, scene.identity));

/** What a process does that has lost its lock and does not know yet: nobody waits for anybody. */
class NoLocks extends Locks {
  override hold<T>(
    _name: string,
    work: (held: AbortSignal) => Promise<T>,
    { signal = new AbortController().signal }: HoldOptions = {},
  ): Promise<T> {
    return work(signal);
  }

  override isAlone = (): Promise<boolean> => Promise.resolve(true);
  override close = (): Promise<void> => Promise.resolve();
}

describe('the chain', () => {
  it('goes on where it was, whichever process made it, and signs what is new at the end', async () => {
    for (let i = 0; i < 3; i++) {
      await scene.publish(2);
      await scene.catchUp();
    }
    expect(await scene.verify()).toMatchObject({ problems: [], entries: 19, checkpoints: 3 });
    await scene.catchUp();
    expect((await scene.checkpoint()).sequence).toBe(3);
  });

  it('is one also when two processes make it at once', async () => {
    const chains = [makeChain(), makeChain()];
    const running = chains.map((chain) => runTask(chain, new NoLocks()));
    for (let i = 0; i < 20; i++) await scene.publish(3);
    await waitFor('the chain', async () => (await readPlace(scene.dataSource))?.cursor === (await scene.store.head()));
    await Promise.all(running.map((chain) => chain.stop()));
    await scene.catchUp();
    expect(await scene.verify()).toMatchObject({ problems: [], entries: 181 });
  });

  it('goes on after a crash between entries and their checkpoint', async () => {
    await scene.publish(2);
    const events = await readAll(scene.store);
    const cursor = events.at(-1)?.cursor ?? null;
    await addLinks(scene.dataSource, linkEvents(events, await readLastLink(scene.dataSource)), {
      number: events.length,
      epoch: await scene.store.epoch(),
      cursor,
    });
    await scene.publish(1);
    await scene.catchUp();
    expect(await scene.verify()).toMatchObject({ problems: [], entries: 10, checkpoints: 1 });
  });

  it('adds nothing to a log that is not the one that it was made of', async () => {
    await scene.publish(2);
    await scene.catchUp();
    await scene.sql('DELETE FROM log.events WHERE position = 7');
    const goOn = () => makeChain().run(new AbortController().signal);
    await expect(goOn()).rejects.toThrow(/does not hold entry 7/);
    await scene.publish(1);
    await expect(goOn()).rejects.toThrow(/does not hold entry 7/);
    expect((await scene.verify()).problems[0]).toMatchObject({ wrong: 'changed', number: 7 });
  });

  it('has a checkpoint every 1,000 entries', async () => {
    await scene.publish(700);
    await scene.catchUp();
    const { checkpoints, entries, problems } = await scene.verify();
    expect({ entries, problems }).toEqual({ entries: 2101, problems: [] });
    expect(checkpoints).toBeGreaterThanOrEqual(3);
  });
});

describe('a log in an EventStoreDB', () => {
  const engine = new EventStoreDbScene();
  afterEach(() => engine.end());

  it('has a chain as well, which keeps its place when the log is moved there', async () => {
    await scene.publish(4);
    await scene.catchUp();
    const store = await engine.store((await engine.server()).url);
    for (const { stream, ...event } of await readAll(scene.store)) await store.append(stream, [event], 'any');
    const moved = scene.on(store);
    await moved.publish(2);
    await moved.catchUp();
    const { problems, entries, checkpoints } = await moved.verify();
    expect({ problems, entries, checkpoints }).toEqual({ problems: [], entries: 19, checkpoints: 2 });
  });
});

it('is verified while it grows', async () => {
  const chain = runTask(scene.chain());
  const stop = new AbortController();
  const writing = (async () => {
    while (!stop.signal.aborted) await scene.publish(2);
  })();
  for (let i = 0; i < 15; i++) {
    const { problems } = await scene.verify();
    expect(problems).toEqual([]);
  }
  stop.abort();
  await writing;
  await chain.stop();
});
