import {
  type ASTNode,
  type ASTVisitor,
  GraphQLError,
  Kind,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { findUnstorableText, isPlain, NOT_PLAIN_FAULT } from '../../kernel/text.js';
import { describeFault } from '../input/wire-schema.js';

/** The deepest nesting of fields in one operation. */
const MAX_DEPTH = 10;

/**
 * Computes the depth of selections, and visits each fragment only once. Where a fragment contains itself, the inner use
 * counts as 0; GraphQL's rule NoFragmentCycles refuses such an operation.
 */
class Depths {
  private readonly ofFragments = new Map<string, number>();

  constructor(private readonly context: ValidationContext) {}

  depthOf(set: SelectionSetNode | undefined): number {
    return Math.max(
      0,
      ...(set?.selections ?? []).map((selection) => {
        if (selection.kind === Kind.FRAGMENT_SPREAD) return this.fragmentDepth(selection.name.value);
        if (selection.kind === Kind.INLINE_FRAGMENT) return this.depthOf(selection.selectionSet);
        // Introspection queries are deeper than others, and GraphQL's rule MaxIntrospectionDepth limits them.
        return selection.name.value.startsWith('__') ? 0 : 1 + this.depthOf(selection.selectionSet);
      }),
    );
  }

  private fragmentDepth(name: string): number {
    const known = this.ofFragments.get(name);
    if (known !== undefined) return known;
    this.ofFragments.set(name, 0);
    const depth = this.depthOf(this.context.getFragment(name)?.selectionSet);
    this.ofFragments.set(name, depth);
    return depth;
  }
}

/** Validation rule that refuses operations in which fields are nested deeper than `MAX_DEPTH`. */
function depthLimit(context: ValidationContext): ASTVisitor {
  const depths = new Depths(context);
  return {
    OperationDefinition(operation) {
      const depth = depths.depthOf(operation.selectionSet);
      if (depth <= MAX_DEPTH) return;
      const message = `This operation is ${depth} fields deep; ${MAX_DEPTH} is the limit.`;
      context.reportError(new GraphQLError(message, { nodes: operation, extensions: { code: 'QUERY_TOO_DEEP' } }));
    },
  };
}

const INTROSPECTING = new Set(['__schema', '__type']);

/** Validation rule that refuses introspection, except `__typename`, which client libraries add by themselves. */
function noIntrospection(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      if (!INTROSPECTING.has(node.name.value)) return;
      const message = 'This server does not show its GraphQL schema (ODST_GRAPHQL_INTROSPECTION).';
      context.reportError(new GraphQLError(message, { nodes: node, extensions: { code: 'INTROSPECTION_DISABLED' } }));
    },
  };
}

const textNotPlain = (field: string): GraphQLError =>
  new GraphQLError(describeFault({ field, why: NOT_PLAIN_FAULT }, 'A text'), {
    extensions: { code: 'INVALID_REQUEST', http: { status: 400 } },
  });

/** The name of the argument or field that a literal is the value of. */
function nameAbove(ancestors: readonly (ASTNode | readonly ASTNode[])[]): string {
  const above = ancestors.findLast(
    (node) => 'kind' in node && (node.kind === Kind.ARGUMENT || node.kind === Kind.OBJECT_FIELD),
  );
  return above && 'kind' in above && (above.kind === Kind.ARGUMENT || above.kind === Kind.OBJECT_FIELD)
    ? above.name.value
    : '';
}

/** Validation rule that refuses string literals which a database cannot store. */
function plainStrings(context: ValidationContext): ASTVisitor {
  return {
    StringValue({ value }, _key, _parent, _path, ancestors) {
      if (!isPlain(value)) context.reportError(textNotPlain(nameAbove(ancestors)));
    },
  };
}

/**
 * Refuses variables with text that a database cannot store.
 * @throws GraphQLError INVALID_REQUEST when a text contains NUL or half of a surrogate pair
 */
export function requirePlain(variables: unknown): void {
  const field = findUnstorableText(variables);
  if (field !== null) throw textNotPlain(field);
}

/** The limits of one operation. The content of a fragment counts each time the fragment is used. */
const MAX_WIDTH = { rootFields: 20, aliases: 100, directives: 20 } as const;

interface Width {
  readonly rootFields: number;
  readonly aliases: number;
  readonly directives: number;
}

const NO_WIDTH: Width = { rootFields: 0, aliases: 0, directives: 0 };
const WIDTH_LABELS: Readonly<Record<keyof Width, string>> = {
  rootFields: 'root fields',
  aliases: 'aliases',
  directives: 'directives',
};

const addWidths = (a: Width, b: Width): Width => ({
  rootFields: a.rootFields + b.rootFields,
  aliases: a.aliases + b.aliases,
  directives: a.directives + b.directives,
});

/**
 * Computes the widths of selections, and visits each fragment only once. Where a fragment contains itself, the inner
 * use counts as 0; GraphQL's rule NoFragmentCycles refuses such an operation.
 */
class Widths {
  private readonly ofFragments = new Map<string, Width>();

  constructor(private readonly context: ValidationContext) {}

  /** `rootFields` counts the fields of this set only. Aliases and directives also count in the sets below it. */
  widthOf(set: SelectionSetNode | undefined): Width {
    return (set?.selections ?? [])
      .map((selection) => {
        const directives = selection.directives?.length ?? 0;
        if (selection.kind === Kind.FRAGMENT_SPREAD)
          return addWidths({ ...NO_WIDTH, directives }, this.fragmentWidth(selection.name.value));
        const inner = this.widthOf(selection.selectionSet);
        if (selection.kind === Kind.INLINE_FRAGMENT) return addWidths({ ...NO_WIDTH, directives }, inner);
        return addWidths({ rootFields: 1, aliases: selection.alias ? 1 : 0, directives }, { ...inner, rootFields: 0 });
      })
      .reduce(addWidths, NO_WIDTH);
  }

  private fragmentWidth(name: string): Width {
    const known = this.ofFragments.get(name);
    if (known) return known;
    this.ofFragments.set(name, NO_WIDTH);
    const fragment = this.context.getFragment(name);
    const width = addWidths(
      { ...NO_WIDTH, directives: fragment?.directives?.length ?? 0 },
      this.widthOf(fragment?.selectionSet),
    );
    this.ofFragments.set(name, width);
    return width;
  }
}

/** Validation rule that refuses operations with too many root fields, aliases or directives (`MAX_WIDTH`). */
function widthLimit(context: ValidationContext): ASTVisitor {
  const widths = new Widths(context);
  return {
    OperationDefinition(operation) {
      const width = addWidths(
        { ...NO_WIDTH, directives: operation.directives?.length ?? 0 },
        widths.widthOf(operation.selectionSet),
      );
      for (const kind of ['rootFields', 'aliases', 'directives'] as const) {
        if (width[kind] <= MAX_WIDTH[kind]) continue;
        const message = `This operation has ${width[kind]} ${WIDTH_LABELS[kind]}; ${MAX_WIDTH[kind]} is the limit.`;
        context.reportError(new GraphQLError(message, { nodes: operation, extensions: { code: 'QUERY_TOO_WIDE' } }));
      }
    },
  };
}

/** The longest operation, in tokens of its text. */
export const MAX_TOKENS = 2_000;
/** The longest operation, in UTF-16 code units. */
const MAX_QUERY = 20_000;

/** The validation rules that apply in addition to those of GraphQL, over HTTP and over WebSockets. */
export const limitRules = (introspection: boolean): ValidationRule[] => [
  depthLimit,
  widthLimit,
  plainStrings,
  ...(introspection ? [] : [noIntrospection]),
];

/** Refuses an operation of more than 20,000 characters, before it is parsed. @throws GraphQLError QUERY_TOO_LONG */
export function requireShort(query: unknown): void {
  if (typeof query !== 'string' || query.length <= MAX_QUERY) return;
  throw new GraphQLError(`The operation is longer than ${MAX_QUERY} characters.`, {
    extensions: { code: 'QUERY_TOO_LONG', http: { status: 400 } },
  });
}

/** Removes GraphQL's suggestions for misspelled names, which reveal names of the schema, from an error message. */
export const withoutHints = (message: string): string => message.replace(/ Did you mean [^?]*\?/g, '');
