import type { CommandBus } from '@nestjs/cqrs';
import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { NoDirectory } from '../../../adapters/directory/no-directory.js';
import { Refusal } from '../../../kernel/errors.js';
import { MemoryLocks } from '../../../../test/support/memory-locks.js';
import { DirectoryRefresher } from './directory-refresher.js';

const directory = Object.defineProperty(new NoDirectory(), 'url', { value: 'ldap://test' });

describe('DirectoryRefresher', () => {
  const execute = vi.fn<() => Promise<object>>();
  const commands = { execute } as Partial<CommandBus> as CommandBus;
  beforeEach(() => void execute.mockReset().mockResolvedValue({ accounts: 0, changed: 0 }));

  it('looks in one process of several', async () => {
    const locks = new MemoryLocks();
    const both = [1, 2].map(() => new DirectoryRefresher(directory, commands, locks));
    both.forEach((one) => one.start());
    await vi.waitFor(() => expect(execute).toHaveBeenCalledTimes(1));
    await new Promise((resolve) => setImmediate(resolve));
    expect(execute).toHaveBeenCalledTimes(1);
    await both[0]?.onApplicationShutdown();
    await vi.waitFor(() => expect(execute).toHaveBeenCalledTimes(2));
    await both[1]?.onApplicationShutdown();
  });

  it('does not wait for a directory that hangs when the server stops', async () => {
    execute.mockReturnValue(new Promise(() => undefined));
    const refresher = new DirectoryRefresher(directory, commands, new MemoryLocks());
    refresher.start();
    await vi.waitFor(() => expect(execute).toHaveBeenCalledTimes(1));
    await refresher.onApplicationShutdown();
  });

  it('says once that the directory is down, and once that it is back', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    const log = vi.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    const refresher = new DirectoryRefresher(directory, commands, new MemoryLocks());
    const look = Reflect.get(refresher, 'look') as () => Promise<void>;
    execute.mockRejectedValue(new Refusal('DIRECTORY_UNAVAILABLE', 'it is down'));
    for (let i = 0; i < 3; i++) await look.call(refresher);
    expect(warn).toHaveBeenCalledTimes(1);
    execute.mockResolvedValue({ accounts: 3, changed: 0 });
    for (let i = 0; i < 3; i++) await look.call(refresher);
    expect(log.mock.calls).toEqual([['The directory answers again']]);
  });

  it('does nothing without a directory', async () => {
    const refresher = new DirectoryRefresher(new NoDirectory(), commands, new MemoryLocks());
    refresher.start();
    await refresher.onApplicationShutdown();
    expect(execute).not.toHaveBeenCalled();
  });
});
