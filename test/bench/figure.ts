import { median, warm } from './machine.js';

/** One line of the report. */
export interface Result {
  readonly what: string;
  readonly ours: string;
  readonly rival: string;
  /** What is compared with the mark: a ratio, or milliseconds where there is no rival. */
  readonly value: number;
  readonly mark: { readonly atMost?: number; readonly atLeast?: number };
}

export interface Skipped {
  readonly what: string;
  readonly skipped: string;
}

export interface BenchContext {
  /** Scratch space on the disk that is measured. */
  readonly folder: string;
  readonly runs: number;
  /** Size of the large package in bytes. */
  readonly size: number;
}

export type Figure = (context: BenchContext) => Promise<(Result | Skipped)[]>;

/** Runs what is compared in turn, each after warming the machine, and gives the median of each. */
export async function inTurn<K extends string>(
  { folder, runs }: BenchContext,
  contenders: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number>> {
  const names = Object.keys(contenders) as K[];
  const times = new Map<K, number[]>(names.map((name) => [name, []]));
  for (let i = 0; i < runs; i++) {
    for (const name of names) {
      await warm(folder);
      times.get(name)?.push(await contenders[name]());
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<K, number>;
}

export const inSeconds = (value: number): string => `${value.toFixed(2)} s`;

export function reached({ value, mark }: Result): boolean {
  return value <= (mark.atMost ?? Number.POSITIVE_INFINITY) && value >= (mark.atLeast ?? Number.NEGATIVE_INFINITY);
}
