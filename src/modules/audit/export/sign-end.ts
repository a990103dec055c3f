import { canonicalJson } from '../../../kernel/text/canonical-json.js';
import type { ExportEnd } from './export-format.js';

const PURPOSE = 'odst audit export\n';

/** What is signed of the last line of an export: all but the signature, canonical (RFC 8785). */
export function exportEndBytes({
  entries,
  number,
  hash,
  lines,
  serverId,
  at,
  key,
}: Omit<ExportEnd, 'signature'>): Buffer {
  return Buffer.from(PURPOSE + canonicalJson({ entries, number, hash, lines, serverId, at, key }));
}
