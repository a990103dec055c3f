import { GraphQLError, type ASTVisitor, type ValidationContext } from 'graphql';

const INTROSPECTING = new Set(['__schema', '__type']);

/** Validation rule: the schema is not told. `__typename`, which clients send by themselves, is. */
export function noIntrospection(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      if (!INTROSPECTING.has(node.name.value)) return;
      const message = 'This server does not tell its schema (ODST_GRAPHQL_INTROSPECTION).';
      context.reportError(new GraphQLError(message, { nodes: node, extensions: { code: 'INTROSPECTION_DISABLED' } }));
    },
  };
}
