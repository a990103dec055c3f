import { z } from 'zod';
import { textParsers } from '../../src/platform/input/parsers.js';

type Path = readonly (string | number)[];

/** A part of a shape that has no parts itself. */
export type Leaf = { readonly path: Path; readonly isNullable: boolean } & (
  | { readonly kind: 'text'; readonly parser: ReturnType<typeof textParsers.get> }
  | { readonly kind: 'number' | 'choice' | 'truth' }
);

type Shape = z.core.$ZodType;

/** All leaves of the shape of what comes in, before it is changed into something else. */
export function leavesOf(shape: Shape, path: Path = [], isNullable = false): Leaf[] {
  if (shape instanceof z.ZodObject)
    return Object.entries(shape.shape).flatMap(([name, part]: [string, Shape]) => leavesOf(part, [...path, name]));
  if (shape instanceof z.ZodArray)
    return shape.element instanceof z.ZodUnknown ? [] : leavesOf(shape.element, [...path, 0]);
  if (shape instanceof z.ZodNullable) return leavesOf(shape.unwrap(), path, true);
  if (shape instanceof z.ZodOptional || shape instanceof z.ZodDefault)
    return leavesOf(shape.unwrap(), path, isNullable);
  if (shape instanceof z.ZodPipe) return leavesOf(shape.in, path, isNullable);
  if (shape instanceof z.ZodString) return [{ path, isNullable, kind: 'text', parser: textParsers.get(shape) }];
  if (shape instanceof z.ZodNumber) return [{ path, isNullable, kind: 'number' }];
  if (shape instanceof z.ZodEnum || shape instanceof z.ZodLiteral) return [{ path, isNullable, kind: 'choice' }];
  if (shape instanceof z.ZodBoolean) return [{ path, isNullable, kind: 'truth' }];
  throw new Error(`Nobody has said how to test ${shape.constructor.name} at ${path.join('.')}.`);
}

/** A copy of a JSON value with another value at a path. @throws Error when there is nothing at the path */
export function replacedAt(value: unknown, [part, ...rest]: Path, by: unknown): unknown {
  if (part === undefined) return by;
  if (Array.isArray(value) && typeof part === 'number' && part < value.length)
    return value.map((item: unknown, i) => (i === part ? replacedAt(item, rest, by) : item));
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, part)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, name === part ? replacedAt(item, rest, by) : item]),
    );
  }
  throw new Error(`The example has nothing at ${String(part)}.`);
}

/** The value at a path of a JSON value. */
export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (at, part) => (typeof at === 'object' && at !== null ? Reflect.get(at, part) : undefined),
    value,
  );
