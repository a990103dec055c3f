import { z } from 'zod';
import { dnKey } from '../../ports/directory-groups.js';
import { findTextFault } from '../../kernel/input-text.js';
import { isBaseUrl } from '../../kernel/text.js';
import { AllowedNetworks } from '../../platform/http/allowed-networks.js';
import { areProxies } from '../../platform/http/caller-address.js';

// Checks of environment variables. Each check turns the text of a variable into the value of a setting.

export const MAX_PORT = 65_535;
const DAY_MS = 24 * 60 * 60 * 1000;

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A time such as `90s`, `15m`, `12h` or `3d`, in milliseconds. */
export const duration = z
  .string()
  .regex(/^\d{1,9}[smhd]$/)
  .transform((text) => Number(text.slice(0, -1)) * SECONDS[z.enum(['s', 'm', 'h', 'd']).parse(text.slice(-1))] * 1000);

/** A time of at most so many days, in milliseconds. */
export const durationUpTo = (days: number) => duration.refine((ms) => ms <= days * DAY_MS);

export const yesOrNo = z.enum(['true', 'false']).transform((value) => value === 'true');

export const hasNoNul = (value: string): boolean => !value.includes('\0');

export const portNumber = z
  .string()
  .regex(/^\d+$/)
  .transform(Number)
  .refine((value) => value >= 1 && value <= MAX_PORT);

export const baseUrl = z
  .string()
  .transform((value) => value.replace(/\/+$/, ''))
  .refine((value) => isBaseUrl(value) && URL.canParse(value));

/** A name that people see: without white space around it, in Unicode normal form C. */
export const serverName = z
  .string()
  .transform((value) => value.trim().normalize('NFC'))
  .refine((value) => findTextFault(value, { min: 1, max: 100 }) === null);

export const postgresUrl = z.string().refine((value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value));

export const eventStoreUrl = z.string().refine((value) => /^esdb(\+discover)?:\/\/[^/?#]+/.test(value));

export const redisUrl = z.string().refine((value) => /^rediss?:\/\//.test(value) && URL.canParse(value));

export const secretKey = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .transform((hex) => Buffer.from(hex, 'hex'));

export const proxies = z
  .string()
  .transform((list) => list.split(',').map((entry) => entry.trim()))
  .refine(areProxies);

/** A list of addresses and CIDR ranges. */
export const networks = z
  .string()
  .transform((list) => list.split(',').map((entry) => entry.trim()))
  .refine((list) => {
    try {
      return new AllowedNetworks(list) instanceof AllowedNetworks;
    } catch {
      return false;
    }
  });

const UNITS = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

export const byteCount = z
  .string()
  .regex(/^\d{1,12}(B|KiB|MiB|GiB)?$/)
  .transform((text) => {
    const [, digits = '', unit = ''] = /^(\d+)(.*)$/.exec(text) ?? [];
    return Number(digits) * (Object.entries(UNITS).find(([name]) => name === unit)?.[1] ?? 1);
  })
  .refine(Number.isSafeInteger);

export const ldapUrl = z
  .string()
  .regex(/^ldaps?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?\/?$/)
  .refine(URL.canParse)
  .transform((value) => value.replace(/\/$/, ''));

export const distinguishedName = z.string().refine((value) => dnKey(value) !== null);

/** A text that is parsed. The message of the error that `read` throws becomes a part of the error message. */
export const parsedBy = <T>(read: (value: string) => T) =>
  z.string().transform((value, context) => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });

/** A text that stays as it is. The message of the error that `check` throws becomes a part of the error message. */
export const textChecked = (check: (value: string) => void) =>
  parsedBy((value) => {
    check(value);
    return value;
  });
