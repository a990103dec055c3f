import type { FlowPolicy, PeerPolicy, PolicyChange } from '../../../kernel/peer-policy/peer-policy.js';
import { minutesOf, WEEKDAYS, type TimeWindow } from '../../../kernel/peer-policy/time-windows.js';
import { Refusal } from '../../../kernel/refusal.js';

/** 16 KiB/s: a chunk of 1 MiB takes a minute. */
const MIN_BYTES_PER_SECOND = 16 * 1024;
const MAX_WINDOWS = 50;

/** The policy after a change, null when nothing changes. @throws Refusal INVALID_REQUEST */
export function applyPolicyChange(policy: PeerPolicy, { direction, send, receive }: PolicyChange): PeerPolicy | null {
  const changed: PeerPolicy = {
    direction: direction ?? policy.direction,
    send: applyFlowChange('send', policy.send, send),
    receive: applyFlowChange('receive', policy.receive, receive),
  };
  return isSamePolicy(changed, policy) ? null : changed;
}

function applyFlowChange(name: string, flow: FlowPolicy, change: Partial<FlowPolicy> = {}): FlowPolicy {
  const { bytesPerSecond = flow.bytesPerSecond, windows = flow.windows } = change;
  if (bytesPerSecond !== null && !(Number.isSafeInteger(bytesPerSecond) && bytesPerSecond >= MIN_BYTES_PER_SECOND)) {
    throw invalidPolicy(
      `\`${name}.bytesPerSecond\` must be a whole number of at least ${MIN_BYTES_PER_SECOND} (16 KiB/s), or null for no limit.`,
    );
  }
  if (windows.length > MAX_WINDOWS)
    throw invalidPolicy(`\`${name}.windows\` may hold at most ${MAX_WINDOWS} time windows.`);
  return { bytesPerSecond, windows: windows.map((window) => checkedWindow(name, window)) };
}

/** With each day once, in the order of the week. */
function checkedWindow(name: string, { days, from, to }: TimeWindow): TimeWindow {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  if (begin === null || end === null || from === '24:00') {
    throw invalidPolicy(`A time window in \`${name}\` goes from HH:MM (00:00 to 23:59) to HH:MM (00:00 to 24:00).`);
  }
  if (begin === end) {
    throw invalidPolicy(`A time window in \`${name}\` begins and ends at ${from}. A whole day is from 00:00 to 24:00.`);
  }
  if (days.length === 0) throw invalidPolicy(`A time window in \`${name}\` needs at least one day.`);
  return { days: WEEKDAYS.filter((day) => days.includes(day)), from, to };
}

const invalidPolicy = (message: string): Refusal => new Refusal('INVALID_REQUEST', message);

function isSamePolicy(a: PeerPolicy, b: PeerPolicy): boolean {
  return a.direction === b.direction && isSameFlow(a.send, b.send) && isSameFlow(a.receive, b.receive);
}

function isSameFlow(a: FlowPolicy, b: FlowPolicy): boolean {
  const text = ({ windows }: FlowPolicy): string =>
    windows.map(({ days, from, to }) => `${days.join()} ${from} ${to}`).join(';');
  return a.bytesPerSecond === b.bytesPerSecond && text(a) === text(b);
}
