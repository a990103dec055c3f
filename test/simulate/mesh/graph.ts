import { Random } from '../random.js';

export const SHAPES = ['chain', 'ring', 'star', 'mesh', 'random'] as const;
export type Shape = (typeof SHAPES)[number];

/** Who is registered with whom: pairs of servers, each pair once. Every graph is connected. */
export function pairsOf(shape: Shape, servers: number, degree: number, random: Random): (readonly [number, number])[] {
  const all = Array.from({ length: servers }, (_, i) => i);
  const chain = all.slice(1).map((i) => [i - 1, i] as const);
  switch (shape) {
    case 'chain':
      return chain;
    case 'ring':
      return servers > 2 ? [...chain, [servers - 1, 0]] : chain;
    case 'star':
      return all.slice(1).map((i) => [0, i] as const);
    case 'mesh':
      return all.flatMap((i) => all.slice(i + 1).map((j) => [i, j] as const));
    case 'random':
      return randomPairs(servers, degree, random);
  }
}

/** A random tree, and pairs at random until servers have `degree` peers on average. */
function randomPairs(servers: number, degree: number, random: Random): (readonly [number, number])[] {
  const pairs = new Map<number, readonly [number, number]>();
  const add = (a: number, b: number): void => {
    if (a !== b) pairs.set(Math.min(a, b) * servers + Math.max(a, b), [Math.min(a, b), Math.max(a, b)]);
  };
  for (let i = 1; i < servers; i++) add(i, random.below(i));
  const most = (servers * (servers - 1)) / 2;
  const wanted = Math.min(most, Math.max(servers - 1, Math.round((servers * degree) / 2)));
  while (pairs.size < wanted) add(random.below(servers), random.below(servers));
  return [...pairs.values()];
}
