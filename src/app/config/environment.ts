import { z } from 'zod';
import { STAGES } from '../../kernel/stage.js';

const MAX_PORT = 65_535;

const port = z
  .string()
  .regex(/^\d+$/)
  .transform(Number)
  .refine((value) => value >= 1 && value <= MAX_PORT);

const baseUrl = z
  .string()
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol))
  .refine((value) => new URL(value).search === '' && new URL(value).hash === '' && new URL(value).username === '')
  .transform((value) => value.replace(/\/+$/, ''));

const postgresUrl = z.string().refine((value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value));

const key = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .transform((hex) => Buffer.from(hex, 'hex'));

const noNul = (value: string): boolean => !value.includes('\0');

/** Every environment variable: its default, its check, and what to say when the check fails. */
export const environment = {
  PORT: { check: port, fallback: '8080', expected: `a port number from 1 to ${MAX_PORT}` },
  ODST_DATA_DIR: { check: z.string().refine(noNul), fallback: './data', expected: 'a folder' },
  ODST_URL: {
    check: baseUrl,
    expected: 'the http:// or https:// address under which peers and endpoints reach this server, without a query',
  },
  ODST_NAME: { check: z.string().trim().min(1).max(100), expected: 'a name of 1 to 100 characters' },
  ODST_STAGE: { check: z.enum(STAGES), expected: 'Dev, Test or Prod' },
  ODST_ROLE: {
    check: z.literal('all'),
    fallback: 'all',
    expected: '"all": one process does everything on the embedded engines',
  },
  ODST_ADMIN_PASSWORD: { check: z.string().min(8).max(200), expected: 'a password of 8 to 200 characters' },
  ODST_SECRET_KEY: { check: key, expected: '64 hexadecimal digits (32 bytes)' },
  ODST_LOG_LEVEL: {
    check: z.enum(['debug', 'info', 'warn', 'error']),
    fallback: 'info',
    expected: 'debug, info, warn or error',
  },
  DATABASE_URL: { check: postgresUrl, expected: 'postgres://user:password@host:5432/database' },
  EVENTSTOREDB_URL: { check: z.never(), expected: 'unset: this version keeps its event log in PostgreSQL' },
  REDIS_URL: { check: z.never(), expected: 'unset: this version keeps its job queue in PostgreSQL' },
} as const;

export type VariableName = keyof typeof environment;
