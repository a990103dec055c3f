import { z } from 'zod';
import type { CommandBlock, Outcome } from './documented-commands.js';

/** What the commands of the documentation are run on, and what earlier commands have told. */
export interface Context {
  /** Addresses of two servers that are peers, and the password of `admin` on both. */
  readonly a: string;
  readonly b: string;
  readonly password: string;
  /** The ids of other things than those that a command has told. */
  readonly ids: Record<string, string>;
}

/** A block of commands that the test runs as it stands, but for names and ids that stand for those of the reader. */
interface RunCase {
  readonly has: string;
  /** Texts to be replaced, and what by. */
  readonly put?: (context: Context) => Readonly<Record<string, string>>;
  /** Notes what later commands need. */
  readonly note?: (answers: readonly unknown[], context: Context) => void;
  /** The exit code; 0 when left out. */
  readonly code?: number;
  /** Part of an error that belongs to this place and not to the command. */
  readonly refused?: string;
}

/** A block that is not run here, and why. */
interface OtherCase {
  readonly has: string;
  readonly why: string;
}

type Case = RunCase | OtherCase;

const idOf = (name: string) => (context: Context) => ({ '"…"': `"${context.ids[name]}"` });
const asText = (value: unknown): string => z.string().parse(value);
/** The value at a path in an answer of GraphQL. */
const at = (answer: unknown, ...path: readonly string[]): string =>
  asText(path.reduce<unknown>((value, name) => Reflect.get(Object(value), name), Reflect.get(Object(answer), 'data')));

const HOW_TO = 'docs/how-to';
const SYSTEM = 'changes users and services of the machine';
const SETTINGS = 'is a list of settings, which test/architecture/documented-commands.unit.spec.ts reads';

/** All blocks, in the order in which they are run. */
export const CASES: Readonly<Record<string, readonly Case[]>> = {
  'README.md': [{ has: 'npm run demo', why: 'test/e2e/demo.e2e.spec.ts runs the demo' }],
  [`${HOW_TO}/run-a-server.md`]: [
    { has: 'npm start', why: 'test/e2e/stopping.e2e.spec.ts starts it' },
    { has: 'useradd', why: SYSTEM },
    { has: 'nginx-one-machine.conf', why: `${SYSTEM}; test/integration/nginx runs the configuration` },
    { has: 'sign_in() {' },
    { has: 'server { name url stage }' },
  ],
  [`${HOW_TO}/upload-packages.md`]: [
    {
      has: 'Foo.pkg?stage=Prod',
      note: ([answer], { ids }) => void (ids['Foo.pkg'] = asText(Reflect.get(Object(answer), 'id'))),
    },
    { has: 'dgst -sha256 -binary Foo.pkg' },
    { has: '-F stage=Test' },
    { has: '--head', why: 'test/integration/packages/documented-uploads.int.spec.ts runs it' },
    { has: 'removePackage', put: ({ ids }) => ({ 'a5c8…': ids['removed.pkg'] ?? '' }) },
    { has: 'set -eu', why: 'test/integration/packages/documented-uploads.int.spec.ts runs it' },
  ],
  [`${HOW_TO}/accounts.md`]: [
    {
      has: 'createAccount',
      note: ([answer], { ids }) => void (ids['one-time password'] = at(answer, 'createAccount', 'oneTimePassword')),
    },
    {
      has: 'changePassword',
      put: ({ ids }) => ({ 'the one-time password': ids['one-time password'] ?? '' }),
    },
    { has: 'disableAccount', put: idOf('account') },
    { has: 'accounts:reset-admin', why: 'test/e2e/tools-on-wrong-folders.e2e.spec.ts runs it' },
    {
      has: 'revokeSession',
      put: ({ ids }) => ({
        'revokeSession(id: "…")': `revokeSession(id: "${ids['session']}")`,
        'account(id: "…")': `account(id: "${ids['account']}")`,
      }),
    },
  ],
  [`${HOW_TO}/api-tokens.md`]: [
    {
      has: 'AutoPkg on mac-7',
      put: () => ({ 'the password of ann': '12 to 200 characters of any kind' }),
      note: ([answer], { ids }) => {
        ids['token'] = at(answer, 'createApiToken', 'token');
        ids['token id'] = at(answer, 'createApiToken', 'apiToken', 'id');
      },
    },
    {
      has: 'Firefox.pkg',
      put: ({ ids }) => ({ 'odst_…': ids['token'] ?? '' }),
      note: ([answer], { ids }) => void (ids['Firefox.pkg'] = asText(Reflect.get(Object(answer), 'id'))),
    },
    { has: 'AutoPkg/Cache', why: 'test/integration/packages/documented-uploads.int.spec.ts runs it' },
    {
      has: 'publishUpTo: Test, expiresAt',
      put: ({ ids }) => ({
        '2027-06-30T00:00:00Z': new Date(Date.now() + 90 * 24 * 60 * 60 * 1000).toISOString(),
        '…': ids['Firefox.pkg'] ?? '',
      }),
      // The token of the page before is only for uploads.
      refused: 'promote',
    },
    { has: 'revokeApiToken', put: idOf('token id') },
  ],
  [`${HOW_TO}/audit-trail.md`]: [
    { has: 'PackageStageChanged' },
    { has: '-OJ' },
    {
      has: '--since-checkpoint',
      put: ({ ids }) => ({ '6IhoD5Krp6d8wCcqSNznut8PrP-NGT_t_L3Fu4wyqcM': ids['public key'] ?? '' }),
    },
    { has: 'checkpoint.json' },
  ],
  [`${HOW_TO}/back-up-and-rebuild.md`]: [
    { has: 'systemctl stop odst', why: SYSTEM },
    { has: 'unclaimedFiles', refused: 'unclaimed' },
    { has: 'projections:rebuild', why: 'the second line needs a service; test/e2e/rebuild.e2e.spec.ts runs the tool' },
    { has: 'secrets:rotate', why: 'test/e2e/secrets.e2e.spec.ts runs the tool' },
  ],
  [`${HOW_TO}/when-something-is-wrong.md`]: [
    { has: 'queue { state advice' },
    { has: 'whyNot', put: () => ({ Munich: 'b' }) },
    { has: 'replicas { local server' },
    { has: 'retryReplica', put: idOf('Foo.pkg'), refused: 'Only a copy that has failed' },
    { has: 'verifyPackage', put: idOf('Foo.pkg') },
    { has: 'inSync differences comparedAt } }' },
    { has: 'accounts:reset-admin', why: 'test/e2e/tools-on-wrong-folders.e2e.spec.ts runs it' },
  ],
  [`${HOW_TO}/unprocessable-events.md`]: [{ has: 'problems {' }],
  [`${HOW_TO}/run-with-containers.md`]: [
    { has: 'docker compose up -d --build', why: 'needs Docker' },
    { has: 'secrets/admin-password', put: ({ a }) => ({ 'http://localhost:8080': a }) },
    { has: 'docker compose stop', why: 'needs Docker' },
  ],
  [`${HOW_TO}/serve-endpoints.md`]: [
    { has: 'curl -fO https' },
    ...['curl -fO -C - "', 'wget -c', '--etag-save', 'If-Range', 'sha256sum --check'].map((has) => ({
      has,
      why: 'test/integration/packages/documented-downloads.int.spec.ts runs it',
    })),
  ],
  [`${HOW_TO}/secure-a-server.md`]: [
    { has: 'ODST_TLS_CERT_FILE', why: SETTINGS },
    { has: 'ODST_TRUSTED_PROXIES', why: SETTINGS },
    { has: 'usermod', why: SYSTEM },
  ],
  [`${HOW_TO}/ldap.md`]: [
    { has: 'LDAP_START_TLS', why: SETTINGS },
    { has: 'active-directory', why: SETTINGS },
    { has: 'testDirectory', refused: 'directory' },
  ],
  [`${HOW_TO}/grow-to-a-cluster.md`]: [
    { has: 'for role in api:8080', why: SYSTEM },
    { has: 'createuser', why: 'makes users of a database server' },
    { has: 'A=https', put: () => ({}) },
    ...[
      '--from /var/lib/odst --to "$DB"',

      'ES=',
      '--from "$ES"',
    ].map((has) => ({ has, why: 'needs several engines; test/integration/copy runs the tool' })),
  ],
  [`${HOW_TO}/stages.md`]: [
    { has: 'a5c8…', put: ({ ids }) => ({ 'a5c8…': ids['Foo.pkg'] ?? '' }) },
    { has: 'lineage { server' },
    { has: 'updateServer' },
  ],
  [`${HOW_TO}/protect-downloads.md`]: [
    { has: 'createDownloadUrl', put: idOf('Foo.pkg') },
    { has: '-u munki', why: 'asks for the password at the terminal' },
    { has: 'mode: BASIC' },
    { has: 'mode: NETWORK' },
  ],
  [`${HOW_TO}/limit-a-peer.md`]: [
    { has: 'createPeerInvitation' },
    { has: 'setPeerRights', put: idOf('peer') },
    { has: 'PackageFactRefused' },
  ],
  [`${HOW_TO}/connect-servers.md`]: [
    {
      has: 'createPeerInvitation {',
      note: ([answer], { ids }) => void (ids['invitation'] = at(answer, 'createPeerInvitation', 'token')),
    },
    { has: 'acceptPeerInvitation', put: ({ ids }) => ({ 'eyJ2Ijox…': ids['invitation'] ?? '' }) },
    { has: 'HTTPS_PROXY', why: SETTINGS },
    {
      has: 'createPeerInvitationFor',
      put: ({ ids }) => ({ '0190f5fe-7c00-7a00-8000-000000000001': ids['peer'] ?? '' }),
    },
    { has: 'PeerCallRefused' },
    { has: 'keyFingerprint' },
    { has: 'Chrome.pkg' },
    { has: 'rotateServerKey' },
    { has: 'direction: SEND_ONLY', put: idOf('peer') },
    { has: 'reachable: false' },
    { has: 'unregisterPeer', put: idOf('peer') },
  ],
};

/** The only case of a block. @throws Error when there are none or several */
export function caseOf({ document, commands }: CommandBlock): Case {
  const [found, ...more] = (CASES[document] ?? []).filter(({ has }) => commands.includes(has));
  if (!found || more.length > 0)
    throw new Error(`Add a case to test/support/documented-cases.ts for these commands of ${document}:\n${commands}`);
  return found;
}

/** The commands with the names and ids of this place. */
export function fillIn(commands: string, run: RunCase, context: Context): string {
  const places = {
    'https://packages.example.com': context.a,
    "'the password'": `'${context.password}'`,
    ...run.put?.(context),
  };
  return Object.entries(places).reduce((text, [from, to]) => text.replaceAll(from, to), commands);
}

/** The values in an output that consists of JSON texts without anything between them. */
export function answersIn({ stdout }: Outcome): readonly unknown[] {
  const answers: unknown[] = [];
  for (const line of stdout.replaceAll(/\}(?=\{"(?:data|errors)":)/g, '}\n').split('\n'))
    if (line.startsWith('{')) answers.push(JSON.parse(line));
  return answers;
}
