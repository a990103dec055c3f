import { PERMISSIONS } from '../../kernel/permission.js';
import { ROLE_PERMISSIONS, ROLES } from '../../kernel/role.js';
import { TOKEN_SCOPES } from '../../modules/accounts/domain/tokens.js';
import { ORIGIN, joinParagraphs, asCode, renderTable } from './print-reference.js';
import { buildWholeSchema } from './print-schema-file.js';
import { allControllers, allRawRoutes, rootFieldsOf, routesOf, type StatedNeed } from './stated-needs.js';

const MEANINGS = {
  own: 'oneself: sessions, tokens, password',
  read: 'server, packages, peers, queue',
  upload: 'publish packages',
  promote: 'change stages',
  remove: 'remove packages',
  peers: 'invite, accept, change, suspend and unregister peers',
  retry: 'failed replicas, verification',
  server: "this server's settings and key",
  accounts: "other people's accounts, sessions and tokens",
  audit: 'the audit trail',
} as const;

const rowOf = ({ call, need }: StatedNeed): readonly string[] => [
  asCode(call),
  need === null ? 'nothing: nobody may' : asCode(need),
];
const byCall = (a: StatedNeed, b: StatedNeed): number => a.call.localeCompare(b.call, 'en');

/** What `docs/reference/permissions.md` has to hold. */
export async function renderPermissionsPage(): Promise<string> {
  const roles = PERMISSIONS.map((permission) => [
    asCode(permission),
    MEANINGS[permission],
    ...ROLES.map((role) => (ROLE_PERMISSIONS[role].includes(permission) ? 'yes' : '')),
    TOKEN_SCOPES.some((scope) => scope === permission) ? 'yes' : '',
  ]);
  const routes = [...allControllers.flatMap(routesOf), ...allRawRoutes].toSorted(byCall);
  return joinParagraphs(
    '# Permissions',
    ORIGIN,
    'Every field of GraphQL and every route states what it needs. Who has not that permission is refused with `FORBIDDEN`,\n' +
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
