/**
 * Codes of mistakes in the GraphQL request itself; nothing was looked up or changed. Most of them are named by Apollo
 * Server. `docs/reference/errors.md` is made from this table.
 */
export const GRAPHQL_REQUEST_CODES: Readonly<Record<string, string>> = {
  BAD_REQUEST: 'The request is none that GraphQL over HTTP knows, such as a subscription outside a WebSocket.',
  BAD_USER_INPUT: 'A variable is missing or of another type.',
  GRAPHQL_PARSE_FAILED: 'The text of the operation cannot be read, or is longer than 2,000 tokens.',
  GRAPHQL_VALIDATION_FAILED: 'The operation asks for something that `schema.graphql` does not have.',
  INTROSPECTION_DISABLED: 'This server tells nobody its schema (`ODST_GRAPHQL_INTROSPECTION=false`).',
  OPERATION_RESOLUTION_FAILURE: '`operationName` names no operation, or is missing where there are several.',
  PERSISTED_QUERY_NOT_SUPPORTED: 'Send the operation itself, not its hash.',
  QUERY_TOO_DEEP: 'The fields are nested more than 10 deep.',
  QUERY_TOO_WIDE:
    'More than 20 root fields, 100 aliases or 20 directives in one operation, fragments counted as often as they are used.',
  QUERY_TOO_LONG: 'The text of the operation is longer than 20,000 characters.',
  QUERY_TOO_EXPENSIVE: 'The operation may ask for more than 20,000 fields. Ask for fewer rows or fields at a time.',
};
