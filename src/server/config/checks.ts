import { z } from 'zod';

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** `90s`, `15m`, `12h` or `3d` in milliseconds. */
export const duration = z
  .string()
  .regex(/^\d{1,9}[smhd]$/)
  .transform((text) => Number(text.slice(0, -1)) * SECONDS[z.enum(['s', 'm', 'h', 'd']).parse(text.slice(-1))] * 1000);

export const yesOrNo = z.enum(['true', 'false']).transform((value) => value === 'true');

export const noNul = (value: string): boolean => !value.includes('\0');
