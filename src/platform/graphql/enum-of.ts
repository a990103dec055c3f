import { registerEnumType } from '@nestjs/graphql';

/** The enum values of a GraphQL type by their names, as `@Field(() => …)` takes them. */
type EnumOf<V extends string> = { readonly [K in V]: K };

interface EnumDescriptions<V extends string> {
  /** Describes the type. */
  readonly type?: string;
  /** Describes each value. */
  readonly values?: Readonly<Record<V, string>>;
}

/**
 * Makes a GraphQL enum of a list of names, such as `STAGES` of the kernel, and registers it in the schema.
 * @param name of the GraphQL type
 */
export function enumOf<V extends string>(
  name: string,
  values: readonly V[],
  { type, values: described }: EnumDescriptions<V> = {},
): EnumOf<V> {
  // The keys are the values themselves, which `Object.fromEntries` cannot tell.
  const enumeration = Object.fromEntries(values.map((value) => [value, value])) as EnumOf<V>;
  registerEnumType<EnumOf<V>>(enumeration, {
    name,
    ...(type !== undefined && { description: type }),
    ...(described && { valuesMap: valuesMapOf(described) }),
  });
  return enumeration;
}

function valuesMapOf<V extends string>(described: Readonly<Record<V, string>>): Record<V, { description: string }> {
  const entries = Object.entries<string>(described).map(([value, description]) => [value, { description }]);
  // The same keys as in `described`.
  return Object.fromEntries(entries) as Record<V, { description: string }>;
}
