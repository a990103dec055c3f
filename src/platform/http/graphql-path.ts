/** Is this the address of GraphQL, whatever its query? */
export const isGraphqlPath = (url: string | undefined): boolean => /^\/graphql\/?(\?|$)/.test(url ?? '');
