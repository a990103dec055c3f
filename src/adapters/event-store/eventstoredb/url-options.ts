import { z } from 'zod';

/** What stands behind the `?`. Times in milliseconds, as the client has them. */
export interface UrlOptions {
  readonly tls: boolean;
  /** Files in PEM: the certificate authority to trust, and the client's own certificate with its key. */
  readonly tlsCaFile?: string;
  readonly userCertFile?: string;
  readonly userKeyFile?: string;
  readonly connectionName?: string;
  readonly maxDiscoverAttempts?: number;
  readonly discoveryInterval?: number;
  readonly gossipTimeout?: number;
  readonly keepAliveInterval?: number;
  readonly keepAliveTimeout?: number;
}

const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number);
const onlyValue = (value: string, why: string) =>
  z
    .string()
    .refine((text) => text.toLowerCase() === value, `can only be ${value}: ${why}`)
    .optional();

/** Names as the client has them, in lower case, since it takes any case. */
const optionShape = z.strictObject({
  tls: z.enum(['true', 'false'], 'must be true or false').optional(),
  tlscafile: z.string().optional(),
  usercertfile: z.string().optional(),
  userkeyfile: z.string().optional(),
  connectionname: z.string().optional(),
  maxdiscoverattempts: wholeNumber.optional(),
  discoveryinterval: wholeNumber.optional(),
  gossiptimeout: wholeNumber.optional(),
  keepaliveinterval: wholeNumber.refine((ms) => ms >= 10_000, 'must be 10000 or more').optional(),
  keepalivetimeout: wholeNumber.optional(),
  tlsverifycert: onlyValue('true', 'the client always verifies. Name the CA with tlsCAFile instead'),
  throwonappendfailure: onlyValue('true', 'this server needs the errors. Remove it'),
  nodepreference: onlyValue('leader', 'this server must read what it wrote. Remove it'),
});

/** Options of a connection string. @throws what `refusal` makes */
export function optionsOf(query: string, refusal: (what: string) => Error): UrlOptions {
  const pairs = [...new URLSearchParams(query.replaceAll('+', '%2B'))];
  const parsed = optionShape.safeParse(Object.fromEntries(pairs.map(([key, value]) => [key.toLowerCase(), value])));
  if (!parsed.success) throw refusal(problemOf(parsed.error, pairs));
  const options = parsed.data;
  const tls = options.tls !== 'false';
  if (!tls && (options.tlscafile ?? options.usercertfile))
    throw refusal('has tls=false together with a certificate. Remove one of them.');
  if (!options.usercertfile !== !options.userkeyfile) throw refusal('needs userCertFile and userKeyFile together.');
  return {
    tls,
    tlsCaFile: options.tlscafile,
    userCertFile: options.usercertfile,
    userKeyFile: options.userkeyfile,
    connectionName: options.connectionname,
    maxDiscoverAttempts: options.maxdiscoverattempts,
    discoveryInterval: options.discoveryinterval,
    gossipTimeout: options.gossiptimeout,
    keepAliveInterval: options.keepaliveinterval,
    keepAliveTimeout: options.keepalivetimeout,
  };
}

function problemOf(error: z.ZodError, pairs: readonly (readonly [string, string])[]): string {
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys')
    return `has the option ${issue.keys[0]}, which is not known or not used here. Remove it.`;
  const name = issue?.path[0];
  const written = pairs.find(([key]) => key.toLowerCase() === name)?.[0] ?? String(name);
  return `has the option ${written}, which ${issue?.message}.`;
}
