import { PERMISSIONS } from '../../kernel/permission.js';
import { ROLE_PERMISSIONS, ROLES } from '../../kernel/role.js';
import { TOKEN_SCOPES } from '../../modules/accounts/domain/tokens.js';
import { ORIGIN, paragraphs, quoted, table } from './print-reference.js';
import { wholeSchema } from './print-schema-file.js';
import { allControllers, allRawRoutes, rootFieldsOf, routesOf, type Stated } from './stated-needs.js';

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

const rowOf = ({ call, need }: Stated): readonly string[] => [
  quoted(call),
  need === null ? 'nothing: nobody may' : quoted(need),
];
const byCall = (a: Stated, b: Stated): number => a.call.localeCompare(b.call, 'en');

/** What `docs/reference/permissions.md` has to hold. */
export async function permissionsPage(): Promise<string> {
  const roles = PERMISSIONS.map((permission) => [
    quoted(permission),
    MEANINGS[permission],
    ...ROLES.map((role) => (ROLE_PERMISSIONS[role].includes(permission) ? 'yes' : '')),
    TOKEN_SCOPES.some((scope) => scope === permission) ? 'yes' : '',
  ]);
  const routes = [...allControllers.flatMap(routesOf), ...allRawRoutes].toSorted(byCall);
  return paragraphs(
    '# Permissions',
    ORIGIN,
    'Every field of GraphQL and every route states what it needs. Who has not that permission is refused with `FORBIDDEN`,\n' +
      'and what states nothing is refused to everybody. See [accounts](../how-to/accounts.md).',
    '## Roles',
    table(['permission', 'for', ...ROLES, 'scope of tokens'], roles),
    'A publisher uploads and promotes up to the stage of the account (`publishUpTo`), and removes and uploads again only what\n' +
      'was published on this server by the same account, or a token of it. An admin has no limits. A token has the\n' +
      'permissions that are both in its scopes and in the roles of its owner.',
    '## GraphQL',
    table(
      ['field', 'needs'],
      rootFieldsOf(await wholeSchema())
        .toSorted(byCall)
        .map(rowOf),
    ),
    '## HTTP',
    '`public`: everybody. `peer call`: other servers, by signature. `own process`: processes of the same server, by its own\n' +
      'signature. `stated inside`: who is signed in; each call inside states its own need.',
    table(['route', 'needs'], routes.map(rowOf)),
  );
}
