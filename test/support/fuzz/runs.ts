import * as fc from 'fast-check';

/** How many inputs a property is tried with, and from which seed. `FUZZ_RUNS=2000 FUZZ_SEED=7` for a long night. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 30);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_128);

interface Share {
  /** Of FUZZ_RUNS, for what is slower or faster than usual. */
  readonly share?: number;
}

/** Checks the property for many inputs, one after the other. A failure prints the seed and the smallest input that fails. */
export async function fuzz<T>(
  inputs: fc.Arbitrary<T>,
  holds: (input: T) => Promise<void>,
  { share = 1 }: Share = {},
): Promise<void> {
  await fc.assert(fc.asyncProperty(inputs, holds), {
    seed: SEED,
    numRuns: Math.max(1, Math.round(RUNS * share)),
    verbose: fc.VerbosityLevel.Verbose,
    // Shrinking asks the server again and again; a minute of that is enough.
    interruptAfterTimeLimit: 60_000 + RUNS * 1_000,
    markInterruptAsFailure: false,
  });
}
