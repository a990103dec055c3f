import type { CommandBus } from '@nestjs/cqrs';
import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { NoDirectory } from '../../../adapters/directory/no-directory.js';
import { Refusal } from '../../../kernel/errors.js';
import { runTask } from '../../../../test/support/background-task.js';
import { MemoryLocks } from '../../../../test/support/memory-locks.js';
import { DirectoryRefresher } from './directory-refresher.js';

const directory = Object.defineProperty(new NoDirectory(), 'url', { value: 'ldap://test' });

describe('DirectoryRefresher', () => {
  const execute = vi.fn<() => Promise<object>>();
  const commands = { execute } as Partial<CommandBus> as CommandBus;
  beforeEach(() => void execute.mockReset().mockResolvedValue({ accounts: 0, changed: 0 }));

  it('looks in one process of several', async () => {
    const locks = new MemoryLocks();
    const both = [1, 2].map(() => runTask(new DirectoryRefresher(directory, commands), locks));
    await vi.waitFor(() => expect(execute).toHaveBeenCalledTimes(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(execute).toHaveBeenCalledTimes(1);
    await both[0]?.stop();
    await vi.waitFor(() => expect(execute).toHaveBeenCalledTimes(2));
    await both[1]?.stop();
  });

  it('does not wait for a directory that hangs when the server stops', async () => {
    execute.mockReturnValue(new Promise(() => undefined));
    const refreshing = runTask(new DirectoryRefresher(directory, commands));
    await vi.waitFor(() => expect(execute).toHaveBeenCalledTimes(1));
    await refreshing.stop();
  });

  it('says once that the directory is down, and once that it is back', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const log = vi.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    const refresher = new DirectoryRefresher(directory, commands);
    const look = Reflect.get(refresher, 'refreshAccounts') as () => Promise<void>;
    execute.mockRejectedValue(new Refusal('DIRECTORY_UNAVAILABLE', 'it is down'));
    for (let i = 0; i < 3; i++) await look.call(refresher);
    expect(warn).toHaveBeenCalledTimes(1);
    execute.mockResolvedValue({ accounts: 3, changed: 0 });
    for (let i = 0; i < 3; i++) await look.call(refresher);
    expect(log.mock.calls).toEqual([['The directory answers again']]);
  });

  it('does nothing without a directory', async () => {
    await runTask(new DirectoryRefresher(new NoDirectory(), commands)).stop();
    expect(execute).not.toHaveBeenCalled();
  });
});
