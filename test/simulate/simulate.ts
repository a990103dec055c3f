import { HELP, readArguments } from './arguments.js';
import { growthLine, growthOf } from './report/growth.js';
import { table } from './report/table.js';
import { simulate, type Order, type Outcome } from './run/simulation.js';

function runOne(order: Order): Outcome {
  const name = `${order.shape}, ${order.servers} servers, ${order.packages} packages`;
  const tell = (part: number) => process.stderr.write(`${name}: ${(100 * part).toFixed(0)} %\n`);
  return simulate(order, tell);
}

/** A report for people, then one line of JSON. Fails when servers disagree at rest. */
function main(): void {
  const orders = readArguments(process.argv.slice(2));
  if (!orders) return console.log(HELP);
  const outcomes = orders.map(runOne);
  const disagreements = outcomes.reduce((sum, outcome) => sum + outcome.disagreements, 0);
  const growth = growthOf(outcomes);
  console.log(table(outcomes));
  if (growth.length > 0) console.log(`\nGrowth\n${growth.map(growthLine).join('\n')}`);
  console.log(
    `\n${disagreements === 0 ? 'At rest all servers agree about every package.' : `At rest servers DISAGREE in ${disagreements} cases.`}`,
  );
  console.log(JSON.stringify({ agreed: disagreements === 0, outcomes, growth }));
  if (disagreements > 0) process.exitCode = 1;
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}\n`);
  process.exitCode = 2;
}
