import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../../../kernel/refusal.js';
import { isStage, STAGES, type Stage } from '../../../../kernel/stage.js';

export const UPLOAD_PATH = '/api/packages';

/** The stage that a query or a form names; null when there is none. @throws Refusal INVALID_STAGE */
export function parseStage(value: string | null): Stage | null {
  if (value === null || isStage(value)) return value;
  throw new Refusal('INVALID_STAGE', `The stage must be one of ${STAGES.join(', ')}.`);
}

/** @throws Refusal INVALID_STAGE */
export function stageInQuery(url: string): Stage | null {
  const query = url.indexOf('?');
  if (query < 0) return null;
  const [stage = null, ...more] = new URLSearchParams(url.slice(query)).getAll('stage');
  if (more.length > 0) throw new Refusal('INVALID_STAGE', 'Give the stage once.');
  return parseStage(stage);
}

/** The filename in the URL as it was sent: dot segments and slashes are part of it, and not allowed in it. */
export function filenameInUrl(url: string): string {
  const [path = ''] = url.split('?', 1);
  const encoded = path.slice(UPLOAD_PATH.length + 1);
  if (encoded.includes('/')) throw new Refusal('INVALID_FILENAME', 'The filename must not contain slashes.');
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw new Refusal('INVALID_FILENAME', 'The filename must be percent-encoded UTF-8.');
  }
}

/** Bytes of the body, null when the sender does not say. */
export function bodySize({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}

/** The body must be there and be the file as it is. */
export function requirePlainBody({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Send the file without Content-Encoding.');
  }
  const transfer = headers['transfer-encoding'];
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked') {
    throw new Refusal('UNSUPPORTED_MEDIA_TYPE', 'Send the file without a Transfer-Encoding other than chunked.');
  }
  if (headers['content-range'] !== undefined) {
    throw new Refusal('INVALID_REQUEST', 'Send the whole file: parts of it (Content-Range) are not possible here.');
  }
  if (headers['content-length'] === undefined && transfer === undefined) {
    throw new Refusal('INVALID_REQUEST', 'Send the file as the body of the request.');
  }
}
