import * as fc from 'fast-check';
import {
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
} from 'graphql';
import { nastyJson, nastyNumber, nastyText } from './values.js';

/** One root field. */
export interface RootField {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly field: GraphQLField<unknown, unknown>;
}

export function rootFields(schema: GraphQLSchema): RootField[] {
  const of = (kind: RootField['kind'], type: GraphQLObjectType | null | undefined): RootField[] =>
    Object.values(type?.getFields() ?? {}).map((field) => ({ kind, field }));
  return [
    ...of('query', schema.getQueryType()),
    ...of('mutation', schema.getMutationType()),
    ...of('subscription', schema.getSubscriptionType()),
  ];
}

/** Ids and names that exist, so that calls come further than to "there is no such thing". */
export type Known = readonly string[];

const scalars = (known: Known): Readonly<Record<string, fc.Arbitrary<unknown>>> => {
  const ids = fc.constantFrom('x', ...known);
  return {
    String: fc.oneof({ weight: 3, arbitrary: nastyText }, ids),
    ID: fc.oneof(nastyText, { weight: 2, arbitrary: ids }),
    Int: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 100 }) }, nastyNumber.filter(Number.isInteger)),
    Float: nastyNumber,
    Boolean: fc.boolean(),
    ByteCount: nastyNumber,
    DateTime: fc.oneof(
      fc.constantFrom(
        '2030-01-01T00:00:00Z',
        '+275760-09-13T00:00:00Z',
        '-000001-01-01T00:00:00Z',
        '0000-00-00',
        '2026-02-30T00:00:00Z',
      ),
      nastyText,
    ),
  };
};

/** A value of this type, more or less: mostly of the right shape, at times not. */
export function valueOf(type: GraphQLInputType, known: Known): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 40, arbitrary: shaped(type, known) }, { weight: 1, arbitrary: nastyJson });
}

function shaped(type: GraphQLInputType, known: Known): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return given(type.ofType, known);
  return fc.oneof({ weight: 4, arbitrary: given(type, known) }, { weight: 1, arbitrary: fc.constant(null) });
}

function given(type: GraphQLInputType, known: Known): fc.Arbitrary<unknown> {
  if (isListType(type)) return fc.array(valueOf(type.ofType, known), { maxLength: 4 });
  if (isEnumType(type)) return fc.constantFrom<unknown>(...type.getValues().map(({ name }) => name));
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    const required = fields.filter((field) => isNonNullType(field.type)).map(({ name }) => name);
    return fc.record(Object.fromEntries(fields.map((field) => [field.name, valueOf(field.type, known)])), {
      requiredKeys: required,
    });
  }
  return scalars(known)[getNamedType(type).name] ?? nastyJson;
}

interface Variable {
  readonly name: string;
  readonly argument: GraphQLArgument;
}

/** One path into a type, and the arguments on it. */
interface Selection {
  readonly text: string;
  readonly variables: readonly Variable[];
}

const call = (field: GraphQLField<unknown, unknown>, prefix: string): Selection => {
  const variables = field.args.map((argument) => ({ name: `${prefix}_${argument.name}`, argument }));
  const given = variables.map(({ name, argument }) => `${argument.name}: $${name}`).join(', ');
  return { text: given ? `${field.name}(${given})` : field.name, variables };
};

function leaves(type: GraphQLOutputType): string {
  const named = getNamedType(type);
  if (!isObjectType(named) && !isInterfaceType(named)) return isCompositeType(named) ? ' { __typename }' : '';
  const fields = Object.values(named.getFields()).filter(
    (field) => field.args.length === 0 && !isCompositeType(getNamedType(field.type)),
  );
  return ` { __typename ${fields.map(({ name }) => name).join(' ')} }`;
}

/** Selections that together reach every field and argument below a type, down to `depth` levels of objects. */
function selections(type: GraphQLOutputType, depth: number, prefix: string): Selection[] {
  const named = getNamedType(type);
  if (!isObjectType(named) && !isInterfaceType(named)) return [{ text: leaves(type), variables: [] }];
  const below = Object.values(named.getFields()).filter(
    (field) => isCompositeType(getNamedType(field.type)) || field.args.length > 0,
  );
  const deeper =
    depth === 0
      ? []
      : below.flatMap((field, i) => {
          const called = call(field, `${prefix}${i}`);
          return selections(field.type, depth - 1, `${prefix}${i}`).map(({ text, variables }) => ({
            text: ` { ${called.text}${text} }`,
            variables: [...called.variables, ...variables],
          }));
        });
  return [{ text: leaves(type), variables: [] }, ...deeper];
}

export interface Operation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Operations for one root field, each with other arguments. */
export function operations({ kind, field }: RootField, known: Known): fc.Arbitrary<Operation> {
  const called = call(field, 'v');
  return fc.constantFrom(...selections(field.type, 3, 'v')).chain(({ text, variables }) => {
    const all = [...called.variables, ...variables];
    const declared = all.map(({ name, argument }) => `$${name}: ${String(argument.type)}`).join(', ');
    const query = `${kind}${declared ? `(${declared})` : ''} { ${called.text}${text} }`;
    const values = Object.fromEntries(all.map(({ name, argument }) => [name, valueOf(argument.type, known)] as const));
    const required = all.filter(({ argument }) => isNonNullType(argument.type)).map(({ name }) => name);
    return fc.record(values, { requiredKeys: required }).map((given) => ({ query, variables: given }));
  });
}
