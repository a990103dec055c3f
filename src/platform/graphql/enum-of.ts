import { registerEnumType } from '@nestjs/graphql';

/** A GraphQL enum as `@Field(() => …)` takes it: an object in which each value has itself as its key. */
type EnumOf<V extends string> = { readonly [K in V]: K };

interface EnumDescriptions<V extends string> {
  /** Describes the type. */
  readonly type?: string;
  /** Describes each value. */
  readonly values?: Readonly<Record<V, string>>;
}

/**
 * Creates a GraphQL enum from a list of names, such as `STAGES` of the kernel, and registers it in the schema.
 * @param name is the name of the GraphQL type
 */
export function enumOf<V extends string>(
  name: string,
  values: readonly V[],
  { type, values: described }: EnumDescriptions<V> = {},
): EnumOf<V> {
  // Each value is its own key. The type of `Object.fromEntries` does not express this.
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
  // The keys are those of `described`.
  return Object.fromEntries(entries) as Record<V, { description: string }>;
}
