import { GraphQLError, Kind, type ASTVisitor, type SelectionSetNode, type ValidationContext } from 'graphql';

/** In one operation; what a fragment has counts as often as it is used. */
export const MAX_WIDTH = { rootFields: 20, aliases: 100, directives: 20 } as const;

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

/** Widths of selections, each fragment looked at once; those that go round in circles are left to NoFragmentCycles. */
class Widths {
  private readonly ofFragments = new Map<string, Width>();

  constructor(private readonly context: ValidationContext) {}

  /** `rootFields` are those of this very set; the sets below count with the rest. */
  of(set: SelectionSetNode | undefined): Width {
    return (set?.selections ?? [])
      .map((selection) => {
        const directives = selection.directives?.length ?? 0;
        if (selection.kind === Kind.FRAGMENT_SPREAD)
          return addWidths({ ...NO_WIDTH, directives }, this.ofFragment(selection.name.value));
        const inner = this.of(selection.selectionSet);
        if (selection.kind === Kind.INLINE_FRAGMENT) return addWidths({ ...NO_WIDTH, directives }, inner);
        return addWidths({ rootFields: 1, aliases: selection.alias ? 1 : 0, directives }, { ...inner, rootFields: 0 });
      })
      .reduce(addWidths, NO_WIDTH);
  }

  private ofFragment(name: string): Width {
    const known = this.ofFragments.get(name);
    if (known) return known;
    this.ofFragments.set(name, NO_WIDTH);
    const fragment = this.context.getFragment(name);
    const width = addWidths(
      { ...NO_WIDTH, directives: fragment?.directives?.length ?? 0 },
      this.of(fragment?.selectionSet),
    );
    this.ofFragments.set(name, width);
    return width;
  }
}

/** Validation rule: operations that ask for the same thing under many names are refused before anything is looked up. */
export function widthLimit(context: ValidationContext): ASTVisitor {
  const widths = new Widths(context);
  return {
    OperationDefinition(operation) {
      const width = addWidths(
        { ...NO_WIDTH, directives: operation.directives?.length ?? 0 },
        widths.of(operation.selectionSet),
      );
      for (const kind of ['rootFields', 'aliases', 'directives'] as const) {
        if (width[kind] <= MAX_WIDTH[kind]) continue;
        const message = `This operation has ${width[kind]} ${WIDTH_LABELS[kind]}; ${MAX_WIDTH[kind]} is the limit.`;
        context.reportError(new GraphQLError(message, { nodes: operation, extensions: { code: 'QUERY_TOO_WIDE' } }));
      }
    },
  };
}
