import type { ValueTransformer } from 'typeorm';
import type { ChunkRange } from '../../kernel/runs.js';

/** A bigint column as a number; sizes and counts stay below 2^53. */
export const safeBigint: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};

const INT4_RANGE = /\[(\d+),(\d+)\)/g;

/** An int4multirange column as sorted, disjoint runs. */
export const runsColumn: ValueTransformer = {
  to: (runs: readonly ChunkRange[]) => `{${runs.map((run) => `[${run.first},${run.first + run.count})`).join(',')}}`,
  from: (text: string): ChunkRange[] =>
    [...text.matchAll(INT4_RANGE)].map(([, from, to]) => ({ first: Number(from), count: Number(to) - Number(from) })),
};
