import { describe, expect, it, vi } from 'vitest';
import {
  Directory,
  DirectoryUnavailable,
  type DirectoryPerson,
  type DirectoryVerdict,
} from '../../ports/directory.port.js';
import { findTextFault } from '../../kernel/input-text.js';
import { BAD_TEXTS } from '../../../test/support/bad-input.js';
import { GuardedDirectory } from './guarded-directory.js';

const person: DirectoryPerson = {
  id: 'entryUUID=1',
  dn: 'uid=ann',
  username: 'ann',
  displayName: null,
  groups: [],
  disabled: false,
};
const down = new DirectoryUnavailable('down');

class Scripted extends Directory {
  override readonly url = 'ldap://test';
  override authenticate = vi
    .fn<(name: string, password: string) => Promise<DirectoryVerdict>>()
    .mockResolvedValue({ person });
  override imitateAuthentication = vi.fn<() => Promise<void>>().mockResolvedValue();
  override findPerson = vi.fn<() => Promise<DirectoryPerson | null>>().mockResolvedValue(person);
  override findPeople = vi.fn<() => Promise<readonly DirectoryPerson[]>>().mockResolvedValue([]);
  override checkAccess = vi.fn<() => Promise<void>>().mockResolvedValue();
}

function scene() {
  const inner = new Scripted();
  const clock = { now: 1_000_000 };
  return { inner, clock, directory: new GuardedDirectory(inner, () => clock.now) };
}

describe('GuardedDirectory', () => {
  it('asks the same once, side by side and soon after', async () => {
    const { inner, directory } = scene();
    await Promise.all([directory.authenticate('ann', 'x'), directory.authenticate('ann', 'x')]);
    await directory.authenticate('ann', 'x');
    expect(inner.authenticate).toHaveBeenCalledTimes(1);
    await directory.authenticate('ann', 'y');
    await directory.authenticate('anny', '');
    expect(inner.authenticate).toHaveBeenCalledTimes(3);
  });

  it('asks anew after it was told to forget, also what was being asked then', async () => {
    const { inner, directory } = scene();
    const refused = { refused: 'no group', passwordIsRight: true };
    let answer: (verdict: DirectoryVerdict) => void = () => undefined;
    inner.authenticate.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const before = directory.authenticate('ann', 'x');
    await vi.waitFor(() => expect(inner.authenticate).toHaveBeenCalledTimes(1));
    directory.forgetVerdicts();
    expect(await directory.authenticate('ann', 'x')).toEqual({ person });
    answer(refused);
    expect(await before).toEqual(refused);
    expect(await directory.authenticate('ann', 'x')).toEqual({ person });
    directory.forgetVerdicts();
    inner.authenticate.mockResolvedValue(refused);
    expect(await directory.authenticate('ann', 'x')).toEqual(refused);
  });

  it('keeps no password', async () => {
    const { directory } = scene();
    await directory.authenticate('ann', 'a secret password');
    const cache: unknown = Reflect.get(directory, 'verdicts');
    expect(JSON.stringify([...(cache as Map<string, unknown>).keys()])).not.toContain('secret');
  });

  it('has no more than eight calls at once, and refuses when a hundred wait', async () => {
    const { inner, directory } = scene();
    const finish: (() => void)[] = [];
    inner.authenticate.mockImplementation(() => new Promise((resolve) => finish.push(() => resolve({ person }))));
    const all = Array.from({ length: 110 }, (_, i) => directory.authenticate(`n${i}`, 'x'));
    const refused = Promise.allSettled(all.slice(108));
    await vi.waitFor(() => expect(finish).toHaveLength(8));
    expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    while (finish.length > 0) {
      finish.splice(0).forEach((end) => end());
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled')).toHaveLength(108);
    expect(inner.authenticate).toHaveBeenCalledTimes(108);
  });

  it('leaves a directory alone that has failed, longer each time, and then asks once', async () => {
    const { inner, clock, directory } = scene();
    inner.authenticate.mockRejectedValue(down);
    for (let i = 0; i < 10; i++) await expect(directory.authenticate(`n${i}`, 'x')).rejects.toBe(down);
    expect(inner.authenticate).toHaveBeenCalledTimes(1);
    clock.now += 1_000;
    inner.findPerson.mockRejectedValue(down);
    await Promise.allSettled(Array.from({ length: 10 }, () => directory.findPerson('x')));
    expect(inner.findPerson).toHaveBeenCalledTimes(1);
    clock.now += 2_000;
    inner.authenticate.mockResolvedValue({ person });
    expect(await directory.authenticate('ann', 'x')).toEqual({ person });
  });

  it('goes on asking about others when something is wrong with one person', async () => {
    const { inner, directory } = scene();
    inner.authenticate.mockRejectedValue(new DirectoryUnavailable('odd', undefined, false));
    for (let i = 0; i < 5; i++) await expect(directory.authenticate(`n${i}`, 'x')).rejects.toThrow('odd');
    expect(inner.authenticate).toHaveBeenCalledTimes(5);
  });

  it('is never silent for more than 30 s', async () => {
    const { inner, clock, directory } = scene();
    inner.findPerson.mockRejectedValue(down);
    for (let i = 0; i < 20; i++) {
      await expect(directory.findPerson('ann')).rejects.toBe(down);
      clock.now += 30_000;
    }
    expect(inner.findPerson).toHaveBeenCalledTimes(20);
    inner.findPerson.mockResolvedValue(person);
    expect(await directory.findPerson('ann')).toEqual(person);
  });

  it('takes a wrong password for an answer, not for a failure', async () => {
    const { inner, directory } = scene();
    inner.authenticate.mockResolvedValue({ refused: 'no' });
    for (let i = 0; i < 5; i++) expect(await directory.authenticate(`n${i}`, 'x')).toEqual({ refused: 'no' });
    expect(inner.authenticate).toHaveBeenCalledTimes(5);
  });

  it('checks at most every ten seconds', async () => {
    const { inner, clock, directory } = scene();
    await directory.checkAccess();
    await directory.checkAccess();
    clock.now += 10_000;
    await directory.checkAccess();
    expect(inner.checkAccess).toHaveBeenCalledTimes(2);
  });

  it.each(Object.entries(BAD_TEXTS))('lets no name with %s further, and no person whose id has it', async (_, text) => {
    const { inner, directory } = scene();
    const odd = { ...person, dn: text, username: text, displayName: text, groups: [text, 'cn=good'] };
    inner.findPerson.mockResolvedValue(odd);
    const found = await directory.findPerson('ann');
    for (const name of [found?.dn, found?.username, found?.displayName])
      expect(findTextFault(name ?? '', { max: 1_000 })).toBeNull();
    expect(found?.groups).toEqual(['cn=good']);
    inner.findPerson.mockResolvedValue({ ...person, id: text });
    expect(await directory.findPerson('ann')).toBeNull();
    inner.authenticate.mockResolvedValue({ person: { ...person, id: text } });
    expect(await directory.authenticate('ann', 'x')).toEqual({ refused: expect.stringContaining('id') as string });
    inner.authenticate.mockResolvedValue({ refused: text });
    const verdict = await directory.authenticate('ann', 'y');
    expect(findTextFault('refused' in verdict ? verdict.refused : '\0', { max: 1_000 })).toBeNull();
  });
});
