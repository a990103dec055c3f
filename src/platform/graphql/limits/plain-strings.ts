import { GraphQLError, type ASTVisitor, type ValidationContext } from 'graphql';
import { hasPlainText, isPlain } from '../../../kernel/text/plain-text.js';

const textNotPlain = (): GraphQLError =>
  new GraphQLError('Text must be Unicode without NUL.', {
    extensions: { code: 'INVALID_REQUEST', http: { status: 400 } },
  });

/** Validation rule: what no database stores is in no operation. */
export function plainStrings(context: ValidationContext): ASTVisitor {
  return {
    StringValue({ value }) {
      if (!isPlain(value)) context.reportError(textNotPlain());
    },
  };
}

/** The same for variables. @throws GraphQLError INVALID_REQUEST */
export function requirePlain(variables: unknown): void {
  if (!hasPlainText(variables)) throw textNotPlain();
}
