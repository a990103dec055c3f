import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { authorityOf } from '../../kernel/access.js';
import { Refusal } from '../../kernel/errors.js';
import { type Principal, Principals } from '../access/access.port.js';
import { WatchedRights } from './watched-rights.js';

const START = Date.UTC(2026, 0, 1);

beforeEach(() => void vi.useFakeTimers({ now: START }));
afterEach(() => void vi.useRealTimers());

const principalUntil = (expiresAt: Date): Principal => ({
  actor: { kind: 'account', id: 'a', name: 'ann' },
  accountId: 'a',
  authority: authorityOf('ann', ['admin'], null),
  proof: { kind: 'session', id: 's' },
  expiresAt,
  mustChangePassword: false,
});

/** Sessions give nobody once they have expired, and tokens refuse. */
class Expiring extends Principals {
  checks = 0;

  constructor(
    private readonly principal: Principal,
    private readonly kind: 'session' | 'token',
  ) {
    super();
  }

  override async authenticate(): Promise<Principal | null> {
    this.checks += 1;
    if (this.principal.expiresAt.getTime() > Date.now()) return this.principal;
    if (this.kind === 'token') throw new Refusal('TOKEN_EXPIRED', 'expired');
    return null;
  }

  override async authorityNow() {
    return this.principal.authority;
  }

  override onChange(): () => void {
    return () => undefined;
  }
}

function watch(kind: 'session' | 'token', lastsMs: number) {
  const principal = principalUntil(new Date(START + lastsMs));
  const principals = new Expiring(principal, kind);
  const codes: number[] = [];
  let close = (): void => undefined;
  const socket = {
    close: (code: number) => {
      codes.push(code);
      close();
    },
    once: (_event: 'close', listener: () => void) => (close = listener),
  };
  const caller = { actor: principal.actor, address: null, principal, token: 't' };
  new WatchedRights(principals).watchCaller(caller, socket, () => undefined);
  return { codes, principals };
}

it.each<['session' | 'token', number]>([
  ['session', 10_500],
  ['token', 10_500],
  ['session', 130_500],
  ['token', 40 * 24 * 60 * 60 * 1000],
])('a subscription ends when its %s expires after %d ms, and is not checked after that', async (kind, lastsMs) => {
  const { codes, principals } = watch(kind, lastsMs);
  await vi.advanceTimersByTimeAsync(lastsMs - 1);
  expect(codes).toEqual([]);
  await vi.advanceTimersByTimeAsync(2);
  expect(codes).toEqual([4401]);
  const { checks } = principals;
  await vi.advanceTimersByTimeAsync(300_000);
  expect(principals.checks).toBe(checks);
});
