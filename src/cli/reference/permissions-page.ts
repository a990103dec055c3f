import { allPermissions, permissionsOf, ROLES } from '../../kernel/access.js';
import { statedRoutes } from '../../platform/http/raw-routes.js';
import { allControllers, buildWholeSchema, rootFieldsOf, routesOf, type StatedNeed } from './program-api.js';
import { asCode, joinParagraphs, ORIGIN, renderTable } from './reference-pages.js';

const rowOf = ({ call, need }: StatedNeed): readonly string[] => [
  asCode(call),
  need === null ? 'nothing: nobody may' : asCode(need),
];
const byCall = (a: StatedNeed, b: StatedNeed): number => a.call.localeCompare(b.call, 'en');

/** Returns the content of `docs/reference/permissions.md`. */
export async function renderPermissionsPage(): Promise<string> {
  const roles = [...allPermissions()].map(([permission, { meaning, isTokenScope }]) => [
    asCode(permission),
    meaning,
    ...ROLES.map((role) => (permissionsOf([role]).includes(permission) ? 'yes' : '')),
    isTokenScope ? 'yes' : '',
  ]);
  const routes = [...allControllers().flatMap(routesOf), ...statedRoutes()].toSorted(byCall);
  return joinParagraphs(
    '# Permissions',
    ORIGIN,
    'Every field of GraphQL and every route states the permission that it needs. Other callers are refused with `FORBIDDEN`,\n' +
      'and what states nothing is refused to everybody. See [accounts](../how-to/accounts.md).',
    '## Roles',
    renderTable(['permission', 'for', ...ROLES, 'scope of tokens'], roles),
    'A publisher uploads and promotes up to the stage of the account (`publishUpTo`), and removes and uploads again only what\n' +
      'was published on this server by the same account, or a token of it. An admin has no limits. A token has the\n' +
      'permissions that are both in its scopes and in the roles of its owner.',
    '## GraphQL',
    renderTable(
      ['field', 'needs'],
      rootFieldsOf(await buildWholeSchema())
        .toSorted(byCall)
        .map(rowOf),
    ),
    '## HTTP',
    '`public`: everybody. `peer call`: other servers, by signature. `own process`: processes of the same server, by its own\n' +
      'signature. `stated inside`: who is signed in; each call inside states its own need.',
    renderTable(['route', 'needs'], routes.map(rowOf)),
  );
}
