import {
  getNamedType,
  type GraphQLInputType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import type { Operation, RootField } from './schema-walk.js';

/** A place of a text in the arguments of a root field. */
export interface TextPlace {
  /** Names of the argument, and of the fields in it. */
  readonly path: readonly string[];
  readonly type: 'String' | 'ID' | 'DateTime';
  /** The operation with this text there, and with something plausible where it must have something. */
  operation(text: string): Operation;
}

type Make = (text: string) => unknown;

const PLAIN: Readonly<Record<string, unknown>> = {
  String: 'x',
  ID: '5b1f6f0a-3c53-5d0e-9a53-0d3f4f5b7a11',
  Int: 1,
  Boolean: true,
  ByteCount: 20_000,
  DateTime: '2030-01-01T00:00:00Z',
};

function plainValue(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return plainValue(type.ofType);
  if (isListType(type)) return [plainValue(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (!isInputObjectType(type)) return PLAIN[getNamedType(type).name];
  const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
  return Object.fromEntries(required.map((field) => [field.name, plainValue(field.type)]));
}

function placesIn(
  type: GraphQLInputType,
  path: readonly string[],
): { path: readonly string[]; type: TextPlace['type']; make: Make }[] {
  if (isNonNullType(type)) return placesIn(type.ofType, path);
  if (isListType(type))
    return placesIn(type.ofType, path).map((place) => ({ ...place, make: (text: string) => [place.make(text)] }));
  if (isInputObjectType(type)) {
    const required = plainValue(type);
    return Object.values(type.getFields()).flatMap((field) =>
      placesIn(field.type, [...path, field.name]).map((place) => ({
        ...place,
        make: (text: string) => ({ ...Object(required), [field.name]: place.make(text) }),
      })),
    );
  }
  const { name } = getNamedType(type);
  return name === 'String' || name === 'ID' || name === 'DateTime' ? [{ path, type: name, make: (text) => text }] : [];
}

/** All texts in the arguments of a root field. */
export function textPlaces({ kind, field }: RootField): TextPlace[] {
  const selection = isCompositeType(getNamedType(field.type)) ? ' { __typename }' : '';
  return field.args.flatMap((argument) =>
    placesIn(argument.type, [argument.name]).map(({ path, type, make }) => ({
      path,
      type,
      operation: (text) => {
        const given = field.args.filter(
          (other) => other.name === argument.name || (isNonNullType(other.type) && other.defaultValue === undefined),
        );
        const declared = given.map((other) => `$${other.name}: ${String(other.type)}`).join(', ');
        const passed = given.map(({ name }) => `${name}: $${name}`).join(', ');
        const variables = Object.fromEntries(
          given.map((other) => [other.name, other.name === argument.name ? make(text) : plainValue(other.type)]),
        );
        return { query: `${kind}(${declared}) { ${field.name}(${passed})${selection} }`, variables };
      },
    })),
  );
}
