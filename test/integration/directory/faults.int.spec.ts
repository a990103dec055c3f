import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { assert, asyncProperty, constant, constantFrom, oneof, pre, string } from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LdapDirectory } from '../../../src/adapters/directory/ldap/ldap-directory.js';
import { GuardedDirectory } from '../../../src/platform/limits/guarded-directory.js';
import { DirectoryUnavailable } from '../../../src/ports/directory.port.js';
import { InProcessDirectory } from '../../support/directory/in-process/in-process-directory.js';
import { passwordOf, personDn } from '../../support/directory/people.js';
import { settingsOf } from '../../support/directory/settings-of.js';
import { Slapd } from '../../support/directory/slapd.js';
import { describeWithSlapd } from '../../support/directory/with-slapd.js';

const WAYS = ['ldap', 'StartTLS', 'ldaps'] as const;
type Way = (typeof WAYS)[number];
const crashes: unknown[] = [];
const note = (error: unknown): void => void crashes.push(error);

beforeAll(() => void process.on('uncaughtException', note).on('unhandledRejection', note));
afterAll(() => void process.off('uncaughtException', note).off('unhandledRejection', note));
afterEach(() => expect(crashes.splice(0)).toEqual([]));

describeWithSlapd('a directory that fails', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await Slapd.start();
  });
  afterAll(() => slapd.stop());

  const via = (way: Way, timeoutMs = 1_000) =>
    new LdapDirectory(
      settingsOf(way === 'ldaps' ? slapd.ldaps : slapd.ldap, {
        startTls: way === 'StartTLS',
        ca: way === 'ldap' ? null : slapd.ca,
        timeoutMs,
      }),
    );

  it.each(WAYS)('because it hangs is given up in time (%s)', async (way) => {
    slapd.signal('SIGSTOP');
    try {
      await expect(via(way).authenticate('bob', passwordOf('bob'))).rejects.toThrow(/did not answer within 1 s/);
      await expect(via(way).findPeople(['entryUUID=1'])).rejects.toBeInstanceOf(DirectoryUnavailable);
    } finally {
      slapd.signal('SIGCONT');
    }
    expect(await via(way, 10_000).authenticate('bob', passwordOf('bob'))).toMatchObject({
      person: { username: 'bob' },
    });
  });

  it.each(WAYS)('because it is killed in the middle ends all that is under way, and comes back (%s)', async (way) => {
    const directory = via(way, 5_000);
    const signIns = Array.from({ length: 30 }, (_, i) => directory.authenticate(`crowd${i}`, passwordOf(`crowd${i}`)));
    await Promise.race(signIns);
    await slapd.halt();
    const ends = await Promise.all(
      signIns.map((signIn) =>
        signIn.then(
          (verdict) => 'person' in verdict,
          (error: unknown) => error instanceof DirectoryUnavailable,
        ),
      ),
    );
    expect(ends).not.toContain(false);
    await expect(directory.checkAccess()).rejects.toBeInstanceOf(DirectoryUnavailable);
    await slapd.launch();
    expect(await directory.authenticate('bob', passwordOf('bob'))).toMatchObject({ person: { username: 'bob' } });
  });

  it('lets nobody in by any name and password but the right ones', async () => {
    const directory = via('ldap', 5_000);
    const typed = oneof(
      string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      string({
        unit: constantFrom('*', '(', ')', '\\', '\0', '|', '&', '!', '=', 'b', 'o', ' ', ','),
        minLength: 1,
        maxLength: 12,
      }),
      constantFrom(
        '*',
        'b*b',
        'bob)(uid=*',
        '*)(uid=bob',
        '\\62ob',
        personDn('bob'),
        'bob,ou=people',
        '{{username}}',
        '$&',
        'bo\u200bb',
        'ｂob ',
        "bob' OR 1=1",
      ),
    );
    await assert(
      asyncProperty(typed, oneof(constant(passwordOf('bob')), typed), async (username, password) => {
        pre(username.normalize('NFKC').toLowerCase().normalize('NFKC') !== 'bob' || password !== passwordOf('bob'));
        const verdict = await directory.authenticate(username, password);
        expect(verdict).toHaveProperty('refused');
      }),
      { numRuns: 300 },
    );
  });
});

describe('something that is no directory', () => {
  const answering = async (answer: (socket: Socket) => void) => {
    const server = createServer((socket) => answer(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, url: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  };
  const ANSWERS: readonly (readonly [string, (socket: Socket) => void])[] = [
    ['says nothing', () => undefined],
    ['hangs up at once', (socket) => socket.destroy()],
    ['hangs up when asked', (socket) => socket.once('data', () => socket.destroy())],
    [
      'speaks HTTP',
      (socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')),
    ],
    ['sends garbage', (socket) => socket.once('data', () => socket.write(Buffer.alloc(5_000, 0xff)))],
    [
      'announces an endless answer',
      (socket) => socket.once('data', () => socket.write(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02]))),
    ],
    ['answers a byte at a time', (socket) => socket.once('data', () => socket.write(Buffer.from([0x30])))],
  ];

  it.each(WAYS.flatMap((way) => ANSWERS.map(([name, answer]) => [name, way, answer] as const)))(
    'that %s is unavailable (%s)',
    async (_, way, answer) => {
      const { server, url } = await answering(answer);
      const settings = settingsOf(`${way === 'ldaps' ? 'ldaps' : 'ldap'}://${url}`, {
        startTls: way === 'StartTLS',
        timeoutMs: 300,
      });
      await expect(new LdapDirectory(settings).authenticate('bob', 'x')).rejects.toBeInstanceOf(DirectoryUnavailable);
      server.close();
    },
  );
});

describe('a refusal', () => {
  it('costs the directory the same, whether there is somebody of the name or not', async () => {
    const server = await InProcessDirectory.start();
    const directory = new LdapDirectory(settingsOf(server.ldap));
    const costOf = async (work: () => Promise<unknown>) => {
      const before = [server.binds.length, server.searches];
      await work();
      return [server.binds.length - (before[0] ?? 0), server.searches - (before[1] ?? 0)];
    };
    const wrong = await costOf(() => directory.authenticate('bob', 'wrong'));
    expect(wrong).toEqual([3, 2]);
    expect(await costOf(() => directory.authenticate('nobody', 'wrong'))).toEqual(wrong);
    expect(await costOf(() => directory.imitateAuthentication('bob'))).toEqual(wrong);
    expect(await costOf(() => directory.imitateAuthentication('nobody'))).toEqual(wrong);
    await server.stop();
  });
});

describe('an odd answer about one person', () => {
  it('keeps nobody else out', async () => {
    const server = await InProcessDirectory.start();
    const directory = new GuardedDirectory(new LdapDirectory(settingsOf(server.ldap)));
    server.odd = personDn('bob');
    await expect(directory.authenticate('bob', passwordOf('bob'))).rejects.toThrow(
      /answered OtherError about a password/,
    );
    expect(await directory.authenticate('ann', passwordOf('ann'))).toMatchObject({ person: { username: 'ann' } });
    await server.stop();
  });
});

describe('many sign-ins', () => {
  it('of one person with one password bind once, and leave nothing open', async () => {
    const server = await InProcessDirectory.start();
    const directory = new GuardedDirectory(new LdapDirectory(settingsOf(server.ldap)));
    await Promise.all(Array.from({ length: 50 }, () => directory.authenticate('bob', 'wrong')));
    await directory.authenticate('bob', 'wrong');
    expect(server.binds.filter((dn) => dn === personDn('bob'))).toHaveLength(1);
    await server.stop();
  });
});
