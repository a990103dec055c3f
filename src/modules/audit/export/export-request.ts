import { z } from 'zod';
import { Refusal } from '../../../kernel/refusal.js';
import type { AuditFilter } from '../queries/audit-trail.query.js';

const Text = z
  .string()
  .max(1_000)
  .refine((text) => !text.includes('\0'), 'holds NUL')
  .optional();
const Time = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .optional();

const ExportQuery = z.strictObject({
  format: z.enum(['csv', 'ndjson']).default('ndjson'),
  kinds: z
    .string()
    .max(4_000)
    .transform((text) => text.split(',').filter(Boolean))
    .pipe(z.array(Text.unwrap()).max(100))
    .optional(),
  actor: Text,
  target: Text,
  text: Text,
  since: Time,
  until: Time,
});

/** What the address asks for. @throws Refusal INVALID_REQUEST */
export function parseExportRequest(url: string): { format: 'csv' | 'ndjson'; filter: AuditFilter } {
  const parameters = new URL(url, 'http://any').searchParams;
  const given = Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
  );
  const parsed = ExportQuery.safeParse(given);
  if (!parsed.success) {
    throw new Refusal('INVALID_REQUEST', `The export can't be asked for like that: ${z.prettifyError(parsed.error)}`);
  }
  const { format, ...filter } = parsed.data;
  return { format, filter: { ...filter, kinds: filter.kinds?.length ? filter.kinds : null } };
}
