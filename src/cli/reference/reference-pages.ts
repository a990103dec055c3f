import { REPLICA_PROBLEMS } from '../../modules/replication/contracts/replica-view.js';
import { GRAPHQL_REQUEST_CODES } from '../../platform/graphql/graphql-errors.js';
import { allErrorCodes } from '../../platform/http/errors/error-codes.js';
// Loads every module, and with them their declarations.
import '../../server/app.module.js';
import { environment, SECRETS, type VariableName } from '../../server/config/environment.js';

type TableRow = readonly string[];

export const ORIGIN = '<!-- Made by `npm run reference`; change the source, not this file. -->';

const renderRow = (cells: TableRow): string => `| ${cells.join(' | ')} |`;

export const renderTable = (head: TableRow, rows: readonly TableRow[]): string =>
  [renderRow(head), renderRow(head.map(() => '---')), ...rows.map(renderRow)].join('\n');

export const joinParagraphs = (...parts: readonly string[]): string => `${parts.join('\n\n')}\n`;

export const asCode = (text: string): string => `\`${text}\``;

/** Returns the content of `docs/reference/errors.md`. */
export function renderErrorsPage(): string {
  const replies = [...allErrorCodes()].map(([code, { status, meaning }]) => [asCode(code), String(status), meaning]);
  const requests = Object.entries(GRAPHQL_REQUEST_CODES).map(([code, meaning]) => [asCode(code), meaning]);
  const problems = Object.entries(REPLICA_PROBLEMS).map(([code, { state, meaning }]) => [asCode(code), state, meaning]);
  return joinParagraphs(
    '# Error codes',
    ORIGIN,
    'An error over HTTP is JSON, `{ "code", "message" }`, some with `details`. In GraphQL the code is in\n' +
      '`extensions.code`. Codes are stable. Messages are for people, say what to do, and may change.',
    '## Replies',
    'GraphQL answers with these codes too, with the HTTP status 200; only `UNAUTHENTICATED` keeps its 401, and `TOO_MANY_REQUESTS` its 429 where nothing was answered.',
    renderTable(['code', 'status', 'meaning'], replies),
    '## Mistakes in a GraphQL request',
    'Nothing was looked up or changed. The HTTP status is 400 in most cases.',
    renderTable(['code', 'meaning'], requests),
    '## Replicas',
    'In `delay` and `failure` of a replica. A delayed replica is tried again by itself; a failed one waits for\n' +
      '`retryReplica`.',
    renderTable(['code', 'the replica is', 'meaning'], problems),
  );
}

function defaultOf(name: VariableName): string {
  const variable = environment[name];
  return 'fallback' in variable ? asCode(variable.fallback) : variable.unset;
}

/** Returns the content of `docs/reference/configuration.md`. */
export function renderConfigurationPage(): string {
  const names = Object.keys(environment) as VariableName[];
  const rows = names.map((name) => {
    const { expected, meaning } = environment[name];
    return [asCode(name), defaultOf(name), expected, meaning];
  });
  const files = SECRETS.map((name) => asCode(`${name}_FILE`)).join(', ');
  return joinParagraphs(
    '# Configuration',
    ORIGIN,
    'Settings are environment variables, read at the start. One that cannot be used, or one that begins with `ODST_` and\n' +
      'is not in this list, ends the start with one line that says what to change, and exit code 1.',
    renderTable(['variable', 'when unset', 'must be', 'meaning'], rows),
    `Secrets can be in files instead, whose paths are in\n${files}.\n` +
      'A byte order mark and one line end are left out of a secret. A password keeps all other white space at its ends; in any\n' +
      'other secret it is refused.',
    'What `ODST_NAME`, `ODST_URL`, `ODST_STAGE` and `ODST_REACHABLE` set wins over `updateServer`, which then refuses with `SETTING_FIXED`.',
  );
}
