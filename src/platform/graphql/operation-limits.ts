import {
  type ASTNode,
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { findUnstorableText, isPlain, NOT_PLAIN_FAULT } from '../../kernel/text.js';
import { describeFault } from '../input/wire-schema.js';

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

/** The deepest nesting of fields in one operation. */
const MAX_DEPTH = 10;
/** The limits of one operation. The content of a fragment counts each time the fragment is used. */
const MAX_WIDTH = { rootFields: 20, aliases: 100, directives: 20, selections: 500 } as const;
/** The most operations in one request. */
const MAX_OPERATIONS = 20;

type Width = Readonly<Record<keyof typeof MAX_WIDTH, number>>;
type Size = Width & { readonly depth: number };

const NO_SIZE: Size = { rootFields: 0, aliases: 0, directives: 0, selections: 0, depth: 0 };
const WIDTH_LABELS: Readonly<Record<keyof Width, string>> = {
  rootFields: 'root fields',
  aliases: 'aliases',
  directives: 'directives',
  selections: 'fields and fragments',
};
const WIDTHS = ['rootFields', 'aliases', 'directives', 'selections'] as const;

const addSizes = (a: Size, b: Size): Size => ({
  rootFields: a.rootFields + b.rootFields,
  aliases: a.aliases + b.aliases,
  directives: a.directives + b.directives,
  selections: a.selections + b.selections,
  depth: Math.max(a.depth, b.depth),
});

/**
 * Computes how wide and deep selections are, and visits each fragment only once. Where a fragment contains itself, the
 * inner use counts as 0; GraphQL's rule NoFragmentCycles refuses such an operation.
 */
class Sizes {
  private readonly ofFragments = new Map<string, Size>();
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;

  constructor(document: DocumentNode) {
    const fragments = document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
    this.fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
  }

  /** `rootFields` counts the fields of the definition itself only. All others also count in the sets below them. */
  sizeOf({ directives, selectionSet }: OperationDefinitionNode | FragmentDefinitionNode): Size {
    return addSizes({ ...NO_SIZE, directives: directives?.length ?? 0 }, this.sizeOfSet(selectionSet));
  }

  private sizeOfSet(set: SelectionSetNode | undefined): Size {
    return (set?.selections ?? []).map((selection) => this.sizeOfSelection(selection)).reduce(addSizes, NO_SIZE);
  }

  private sizeOfSelection(selection: SelectionNode): Size {
    const one = { ...NO_SIZE, selections: 1, directives: selection.directives?.length ?? 0 };
    if (selection.kind === Kind.FRAGMENT_SPREAD) return addSizes(one, this.fragmentSize(selection.name.value));
    const inner = this.sizeOfSet(selection.selectionSet);
    if (selection.kind === Kind.INLINE_FRAGMENT) return addSizes(one, inner);
    // Introspection queries are deeper than others, and GraphQL's rule MaxIntrospectionDepth limits them.
    const depth = selection.name.value.startsWith('__') ? 0 : 1 + inner.depth;
    return addSizes({ ...one, rootFields: 1, aliases: selection.alias ? 1 : 0 }, { ...inner, rootFields: 0, depth });
  }

  private fragmentSize(name: string): Size {
    const known = this.ofFragments.get(name);
    if (known) return known;
    this.ofFragments.set(name, NO_SIZE);
    const fragment = this.fragments.get(name);
    const size = fragment ? this.sizeOf(fragment) : NO_SIZE;
    this.ofFragments.set(name, size);
    return size;
  }
}

const overLimit = (code: 'QUERY_TOO_WIDE' | 'QUERY_TOO_DEEP', message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });

/**
 * Refuses operations that are too wide or too deep. This comes before GraphQL validates them, because that compares each
 * field with each other of the same name, and takes long for very many of them.
 * @throws GraphQLError QUERY_TOO_WIDE, QUERY_TOO_DEEP
 */
export function requireSmall(document: DocumentNode): void {
  const sizes = new Sizes(document);
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (operations.length > MAX_OPERATIONS) {
    const message = `This request has ${operations.length} operations; ${MAX_OPERATIONS} is the limit.`;
    throw overLimit('QUERY_TOO_WIDE', message);
  }
  for (const operation of operations) requireSize(sizes.sizeOf(operation), 'operation');
  // GraphQL also validates a fragment that no operation uses.
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      requireSize({ ...sizes.sizeOf(definition), rootFields: 0, depth: 0 }, 'fragment');
  }
}

function requireSize(size: Size, what: string): void {
  for (const kind of WIDTHS) {
    if (size[kind] <= MAX_WIDTH[kind]) continue;
    const message = `This ${what} has ${size[kind]} ${WIDTH_LABELS[kind]}; ${MAX_WIDTH[kind]} is the limit.`;
    throw overLimit('QUERY_TOO_WIDE', message);
  }
  if (size.depth > MAX_DEPTH)
    throw overLimit('QUERY_TOO_DEEP', `This ${what} is ${size.depth} fields deep; ${MAX_DEPTH} is the limit.`);
}

/** The longest operation, in tokens of its text. */
export const MAX_TOKENS = 2_000;
/** The longest operation, in UTF-16 code units. */
const MAX_QUERY = 20_000;

/** The validation rules that apply in addition to those of GraphQL, over HTTP and over WebSockets. */
export const limitRules = (introspection: boolean): ValidationRule[] => [
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

/**
 * Refuses the text of an operation that is too wide or too deep. A text that cannot be parsed is left to GraphQL, which
 * says what is wrong with it.
 * @throws GraphQLError QUERY_TOO_WIDE, QUERY_TOO_DEEP
 */
export function requireSmallText(query: unknown): void {
  const document = typeof query === 'string' ? parseOperation(query) : null;
  if (document) requireSmall(document);
}

function parseOperation(query: string): DocumentNode | null {
  try {
    return parse(query, { maxTokens: MAX_TOKENS, noLocation: true });
  } catch {
    return null;
  }
}

/** Removes GraphQL's suggestions for misspelled names, which reveal names of the schema, from an error message. */
export const withoutHints = (message: string): string => message.replace(/ Did you mean [^?]*\?/g, '');
