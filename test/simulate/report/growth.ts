import type { Outcome } from '../run/simulation.js';

const MEASURES: Readonly<Record<string, (outcome: Outcome) => number>> = {
  'feed items': ({ traffic }) => traffic.items,
  'bytes of items': ({ traffic }) => traffic.itemBytes,
  'bytes of packages': ({ traffic }) => traffic.packageBytes,
  'time of an upload': ({ upload }) => upload.median,
  'time of a change': ({ change }) => change.median,
};

export interface Growth {
  readonly what: string;
  /** By how much each measure grows. */
  readonly factors: Readonly<Record<string, number>>;
}

/** Compares each outcome with the one before it. */
export function growthOf(outcomes: readonly Outcome[]): Growth[] {
  return outcomes.slice(1).map((outcome, i) => {
    const before = outcomes[i] ?? outcome;
    const factors = Object.entries(MEASURES).map(([name, of]) => [name, of(outcome) / of(before)] as const);
    return { what: nameOf(before, outcome), factors: Object.fromEntries(factors) };
  });
}

function nameOf({ order: before }: Outcome, { order }: Outcome): string {
  const servers = before.servers === order.servers ? `${order.servers}` : `${before.servers} -> ${order.servers}`;
  const packages = before.packages === order.packages ? `${order.packages}` : `${before.packages} -> ${order.packages}`;
  return `${servers} servers, ${packages} packages`;
}

export const growthLine = ({ what, factors }: Growth): string =>
  `${what}: ${Object.entries(factors)
    .map(([name, factor]) => `${name} x${factor.toFixed(2)}`)
    .join(', ')}`;
