import { GraphQLError, Kind, type ASTVisitor, type SelectionSetNode, type ValidationContext } from 'graphql';

/** Deepest nesting of fields in one operation. */
export const MAX_DEPTH = 10;

/** Depth of selections, each fragment looked at once; what a fragment repeats of itself is left to NoFragmentCycles. */
class Depths {
  private readonly ofFragments = new Map<string, number>();

  constructor(private readonly context: ValidationContext) {}

  of(set: SelectionSetNode | undefined): number {
    return Math.max(
      0,
      ...(set?.selections ?? []).map((selection) => {
        if (selection.kind === Kind.FRAGMENT_SPREAD) return this.ofFragment(selection.name.value);
        if (selection.kind === Kind.INLINE_FRAGMENT) return this.of(selection.selectionSet);
        // Introspection has a limit of its own (MaxIntrospectionDepth) and needs more than data does.
        return selection.name.value.startsWith('__') ? 0 : 1 + this.of(selection.selectionSet);
      }),
    );
  }

  private ofFragment(name: string): number {
    const known = this.ofFragments.get(name);
    if (known !== undefined) return known;
    this.ofFragments.set(name, 0);
    const depth = this.of(this.context.getFragment(name)?.selectionSet);
    this.ofFragments.set(name, depth);
    return depth;
  }
}

/** Validation rule: operations that nest deeper than `MAX_DEPTH` are refused before anything is looked up. */
export function depthLimit(context: ValidationContext): ASTVisitor {
  const depths = new Depths(context);
  return {
    OperationDefinition(operation) {
      const depth = depths.of(operation.selectionSet);
      if (depth <= MAX_DEPTH) return;
      const message = `This operation is ${depth} fields deep; ${MAX_DEPTH} is the limit.`;
      context.reportError(new GraphQLError(message, { nodes: operation, extensions: { code: 'QUERY_TOO_DEEP' } }));
    },
  };
}
