import { expect, it } from 'vitest';
import { sendsTo, maySendTo, mayReceiveFrom, OPEN_POLICY, receivesFrom, type PeerPolicy } from './transfer-policy.js';

const noon = new Date(2026, 10, 24, 12);
const YES = { may: true, opensAt: null };
const NEVER = { may: false, opensAt: null };
const nights = { bytesPerSecond: null, windows: [{ days: ['TUE'], from: '22:00', to: '06:00' }] } as const;

it.each([
  ['SEND_RECEIVE', YES, YES],
  ['SEND_ONLY', NEVER, YES],
  ['RECEIVE_ONLY', YES, NEVER],
] as const)('%s: what may be taken and given', (direction, taken, given) => {
  const policy: PeerPolicy = { ...OPEN_POLICY, direction };
  expect([mayReceiveFrom(policy, noon), maySendTo(policy, noon)]).toEqual([taken, given]);
  expect([receivesFrom(policy), sendsTo(policy)]).toEqual([taken.may, given.may]);
});

it('has windows for each direction of its own, which say when they open', () => {
  const closed = { may: false, opensAt: new Date(2026, 10, 24, 22) };
  const receiving: PeerPolicy = { ...OPEN_POLICY, receive: nights };
  expect([mayReceiveFrom(receiving, noon), maySendTo(receiving, noon)]).toEqual([closed, YES]);
  const sending: PeerPolicy = { ...OPEN_POLICY, send: nights };
  expect([mayReceiveFrom(sending, noon), maySendTo(sending, noon)]).toEqual([YES, closed]);
  expect(receivesFrom(receiving)).toBe(true);
});

it('never opens in a direction that is closed', () => {
  expect(mayReceiveFrom({ ...OPEN_POLICY, direction: 'SEND_ONLY', receive: nights }, noon)).toEqual(NEVER);
});
