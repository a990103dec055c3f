import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getNamedType, isObjectType, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { allControllers, buildWholeSchema, rootFieldsOf, routesOf } from '../../src/cli/reference/program-api.js';
import { allPermissions, type Permission, permissionsOf, ROLES } from '../../src/kernel/access.js';
import { needOf } from '../../src/platform/graphql/schema.js';
import { statedRoutes } from '../../src/platform/http/raw-routes.js';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .map((file) => readFileSync(join('src', file), 'utf8'));

const isPermission = (need: unknown): need is Permission => [...allPermissions().keys()].some((name) => name === need);

let schema: GraphQLSchema;
beforeAll(async () => {
  schema = await buildWholeSchema();
});

describe('GraphQL', () => {
  it('states for every root field what it needs', () => {
    const fields = rootFieldsOf(schema);
    expect(fields.length).toBeGreaterThan(30);
    expect(fields.filter(({ need }) => !isPermission(need) && need !== 'public')).toEqual([]);
    expect(fields.filter(({ need }) => need === 'public').map(({ call }) => call)).toEqual(['mutation signIn']);
  });

  it('tells it in the description', () => {
    const create = schema.getMutationType()?.getFields()['createAccount'];
    expect(create?.description).toMatch(/Needs: `accounts`\.$/);
  });

  /** Does every role that has the one have the other? */
  const implies = (has: Permission, need: Permission): boolean =>
    ROLES.every((role) => !permissionsOf([role]).includes(has) || permissionsOf([role]).includes(need));

  /** The object types that a field of this type leads to. */
  function reached(type: GraphQLObjectType, found = new Set<GraphQLObjectType>()): Set<GraphQLObjectType> {
    if (found.has(type)) return found;
    found.add(type);
    for (const field of Object.values(type.getFields())) {
      const next = getNamedType(field.type);
      if (isObjectType(next)) reached(next, found);
    }
    return found;
  }

  it('leads from no field to another that needs more', () => {
    const leaks: string[] = [];
    let checked = 0;
    for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
      for (const field of Object.values(root?.getFields() ?? {})) {
        const [has, type] = [needOf(field), getNamedType(field.type)];
        if (!isPermission(has) || !isObjectType(type)) continue;
        for (const inner of [...reached(type)].flatMap((t) =>
          Object.values(t.getFields()).map((f) => ({ name: `${t.name}.${f.name}`, need: needOf(f) })),
        )) {
          if (!isPermission(inner.need)) continue;
          checked += 1;
          if (!implies(has, inner.need)) leaks.push(`${field.name} (${has}) -> ${inner.name} (${inner.need})`);
        }
      }
    }
    expect(checked).toBeGreaterThan(50);
    expect(leaks).toEqual([]);
  });

  it('states it for every field that looks something up', () => {
    const marked = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) ? Object.values(type.getFields()).filter((field) => isPermission(needOf(field))) : [],
    );
    const decorated = sources.flatMap(
      (text) => text.match(/^ {2}@(Query|Mutation|Subscription|ResolveField)\(/gm) ?? [],
    );
    // All of these are marked with a permission but for the one public mutation.
    expect(marked).toHaveLength(decorated.length - 1);
  });
});

describe('HTTP', () => {
  it('states for every route what it needs', () => {
    const routes = allControllers().flatMap(routesOf);
    expect(routes.length).toBeGreaterThan(10);
    expect(routes.filter(({ need }) => need === null)).toEqual([]);
  });

  it('lists every controller, and everything that is served past them', () => {
    const controllers = sources.filter((text) => /^@Controller\(/m.test(text));
    expect(allControllers()).toHaveLength(controllers.length);
    const stated = sources.flatMap((text) => text.match(/= stateRoute\(/g) ?? []);
    expect(statedRoutes()).toHaveLength(stated.length);
  });

  it('has no other way in', () => {
    // `add` of RawRoutes and Upgrades demands what is stated; the adapter itself is for them and for workers, who only tell their health.
    const adding = sources.filter((text) => /addRawHandler\(/.test(text));
    expect(adding).toHaveLength(3);
    const raw = sources.filter((text) => /\.on\('(request|upgrade)'/.test(text));
    expect(raw.map((text) => /class (\w+)/.exec(text)?.[1])).toEqual(['Upgrades']);
  });
});
