import { isObjectType, type GraphQLSchema } from 'graphql';

/** What a field states, see `stated`; undefined for one that states nothing. */
export const needOf = ({ extensions }: { readonly extensions: object }): unknown =>
  'need' in extensions ? extensions.need : undefined;

/** Adds to the description of each root field what it needs, where it is told what it refuses, too. */
export function describeNeeds(schema: GraphQLSchema): GraphQLSchema {
  for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    if (!isObjectType(root)) continue;
    for (const field of Object.values(root.getFields())) {
      const need = needOf(field);
      const told = need === 'public' ? 'For everybody.' : typeof need === 'string' ? `Needs: \`${need}\`.` : '';
      field.description = [field.description, told].filter(Boolean).join(' ');
    }
  }
  return schema;
}
