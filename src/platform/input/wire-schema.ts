import type { z } from 'zod';
import { Refusal } from '../../kernel/errors.js';
import { pathText } from '../../kernel/text.js';

/** What is wrong with something that came from outside. Both texts are our own words and repeat nothing of it. */
interface InputFault {
  /** Where it is, such as `facts.uploadedBy`; empty when it is the whole. */
  readonly field: string;
  /** The end of a sentence about the field, such as `must not contain NUL`. */
  readonly why: string;
}

type Reading<T> = { readonly data: T; readonly fault: null } | { readonly data: null; readonly fault: InputFault };

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

const wordsFor = (values: readonly unknown[]): string => values.map(String).join(', ');

function explainIssue(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
      return issue.message;
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? 'of another type'}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${wordsFor(issue.values)}`;
    case 'too_big':
      return issue.origin === 'array' ? `must have at most ${issue.maximum} items` : `must be at most ${issue.maximum}`;
    case 'too_small':
      return issue.origin === 'array'
        ? `must have at least ${issue.minimum} items`
        : `must be at least ${issue.minimum}`;
    case 'unrecognized_keys':
      return 'has a part with an unknown name';
    default:
      return 'is not valid';
  }
}

function faultOf({ issues: [issue] }: z.ZodError): InputFault {
  if (!issue) return { field: '', why: 'is not valid' };
  return { field: pathText(issue.path), why: explainIssue(issue) };
}

/** Says in one sentence what is wrong. `what` stands for the whole. */
export const describeFault = ({ field, why }: InputFault, what: string): string =>
  `${field === '' ? what : `\`${field}\``} ${why}.`;

/**
 * The shape of something that comes from outside: a message of a peer, an answer, a request. Only the parsers of
 * `parsers.ts` stand for texts in it, and a test feeds each field of every shape bad values.
 */
export class WireSchema<T> {
  constructor(
    readonly name: string,
    readonly shape: z.ZodType<T>,
  ) {}

  read(value: unknown): Reading<T> {
    const parsed = this.shape.safeParse(value);
    return parsed.success ? { data: parsed.data, fault: null } : { data: null, fault: faultOf(parsed.error) };
  }

  /** @throws Refusal INVALID_REQUEST that names the field and says what is wrong with it */
  require(value: unknown): T {
    const { data, fault } = this.read(value);
    if (fault === null) return data;
    throw new Refusal(
      'INVALID_REQUEST',
      describeFault(fault, 'The request'),
      fault.field ? { field: fault.field } : {},
    );
  }
}

/** What a shape reads. */
export type ReadBy<S> = S extends WireSchema<infer T> ? T : never;

const registered = new Map<string, WireSchema<unknown>>();

/** Makes the schema of something from outside, and registers it for the test. @throws Error when the name is taken */
export function wireSchema<T>(name: string, shape: z.ZodType<T>): WireSchema<T> {
  if (registered.has(name)) throw new Error(`Two wire schemas have the name ${name}.`);
  const schema = new WireSchema(name, shape);
  registered.set(name, schema);
  return schema;
}

/** All schemas of the files that are loaded, by name. */
export const wireSchemas = (): ReadonlyMap<string, WireSchema<unknown>> => registered;
