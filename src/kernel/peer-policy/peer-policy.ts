import { isWithinWindows, nextOpening, type TimeWindow } from './time-windows.js';

/** What is exchanged with a peer, as this server sees it: it sends to the peer, receives from it, or both. */
export const DIRECTIONS = ['SEND_RECEIVE', 'SEND_ONLY', 'RECEIVE_ONLY'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** How packages may pass in one direction. */
export interface FlowPolicy {
  /** For all connections of one process together; null for no limit. */
  readonly bytesPerSecond: number | null;
  /** When they may; always when empty. */
  readonly windows: readonly TimeWindow[];
}

export interface PeerPolicy {
  readonly direction: Direction;
  readonly send: FlowPolicy;
  readonly receive: FlowPolicy;
}

/** What is left out of a change stays. */
export interface PolicyChange {
  readonly direction?: Direction;
  readonly send?: Partial<FlowPolicy>;
  readonly receive?: Partial<FlowPolicy>;
}

const UNLIMITED: FlowPolicy = { bytesPerSecond: null, windows: [] };

/** Of a peer for which nobody decided anything. */
export const OPEN_POLICY: PeerPolicy = { direction: 'SEND_RECEIVE', send: UNLIMITED, receive: UNLIMITED };

/** May bytes of packages pass now? `opensAt` says when they may, null when they may now, or never. */
export interface TransferWindow {
  readonly may: boolean;
  readonly opensAt: Date | null;
}

/** Is anything ever taken from the peer? Else we don't follow it either. */
export const takesFrom = ({ direction }: PeerPolicy): boolean => direction !== 'SEND_ONLY';

/** Does the peer ever get anything from us? */
export const givesTo = ({ direction }: PeerPolicy): boolean => direction !== 'RECEIVE_ONLY';

/** May we fetch bytes of packages from the peer now? */
export const mayTakeFrom = (policy: PeerPolicy, now: Date): TransferWindow =>
  transferWindow(takesFrom(policy), policy.receive, now);

/** May the peer have bytes of packages from us now? */
export const mayGiveTo = (policy: PeerPolicy, now: Date): TransferWindow =>
  transferWindow(givesTo(policy), policy.send, now);

const transferWindow = (ever: boolean, { windows }: FlowPolicy, now: Date): TransferWindow => ({
  may: ever && isWithinWindows(windows, now),
  opensAt: ever ? nextOpening(windows, now) : null,
});
