import { parseArgs } from 'node:util';
import { SHAPES, type Shape } from './mesh/graph.js';
import type { Order } from './run/simulation.js';

export const HELP = `npm run simulate -- [options]
Servers that replicate packages, simulated in memory: messages, bytes and time until all agree. Without --servers and
--packages it runs a series that shows how they grow.
  --servers N    servers (1000)
  --packages N   packages uploaded (100000)
  --graph G      ${SHAPES.join(', ')} (random)
  --degree D     peers of a server on average, for random graphs (4)
  --seed S       another seed is another mesh and another history (1)`;

/** Servers and packages of the series: first more servers, then more packages. */
const SERIES = [
  [10, 1_000],
  [100, 1_000],
  [1_000, 1_000],
  [1_000, 10_000],
  [1_000, 100_000],
] as const;

/** What to simulate; null to show the help. @throws Error that says what is wrong with the arguments */
export function readArguments(args: readonly string[]): Order[] | null {
  const text = { type: 'string' } as const;
  const options = {
    servers: text,
    packages: text,
    graph: text,
    degree: text,
    seed: text,
    help: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const shape = shapeOf(values.graph ?? 'random');
  const common = {
    shape,
    degree: whole('degree', values.degree ?? '4', 1),
    seed: whole('seed', values.seed ?? '1', 0),
  };
  const series = values.servers === undefined && values.packages === undefined ? SERIES : ([[1_000, 100_000]] as const);
  return series.map(([servers, packages]) => ({
    ...common,
    servers: whole('servers', values.servers ?? String(servers), 2),
    packages: whole('packages', values.packages ?? String(packages), 1),
  }));
}

function shapeOf(text: string): Shape {
  const shape = SHAPES.find((name) => name === text);
  if (!shape) throw new Error(`--graph is one of ${SHAPES.join(', ')}.`);
  return shape;
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`--${name} is a whole number from ${least}.`);
  return value;
}
