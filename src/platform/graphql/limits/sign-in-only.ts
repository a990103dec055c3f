import { Kind, parse, type DocumentNode } from 'graphql';

/** Tokens that a request of somebody who is not signed in may have. */
const MAX_SIGN_IN_TOKENS = 100;

function parseDocument(source: string): DocumentNode | null {
  try {
    return parse(source, { maxTokens: MAX_SIGN_IN_TOKENS, noLocation: true });
  } catch {
    return null;
  }
}

/**
 * Does this request do nothing but sign in? All that somebody without a session is answered: for anything else, also
 * for a mistake in the query, they learn only that they have to sign in.
 */
export function isSignInOnly(source: unknown): boolean {
  const document = typeof source === 'string' ? parseDocument(source) : null;
  return (
    document !== null &&
    document.definitions.every(
      (definition) =>
        definition.kind === Kind.OPERATION_DEFINITION &&
        definition.operation === 'mutation' &&
        definition.selectionSet.selections.length === 1 &&
        definition.selectionSet.selections.every((field) => field.kind === Kind.FIELD && field.name.value === 'signIn'),
    )
  );
}
