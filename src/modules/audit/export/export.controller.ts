import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Logger, Req, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { describedTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import { requireKnownNames } from '../../../platform/input/known-names.js';
import { typedText, TypedTime } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { RequireKnownPartiesQuery } from '../trail/known-parties.query.js';
import type { AuditFilter } from '../trail/audit-view.js';
import { AuditExport } from './audit-export.js';

const MAX_KINDS = 100;
const Text = typedText({ max: 1_000 });

const ExportQuery = wireSchema(
  'query of an export',
  z.strictObject({
    format: z.enum(['csv', 'ndjson']).default('ndjson'),
    kinds: typedText({ max: 4_000 })
      .transform((text) => text.split(',').filter(Boolean))
      .pipe(z.array(z.string()).max(MAX_KINDS))
      .optional(),
    actor: Text.optional(),
    target: Text.optional(),
    text: Text.optional(),
    since: TypedTime.optional(),
    until: TypedTime.optional(),
  }),
);

/** Parses the query of the address. @throws Refusal INVALID_REQUEST */
function parseExportRequest(url: string): { format: 'csv' | 'ndjson'; filter: AuditFilter } {
  const parameters = new URL(url, 'http://any').searchParams;
  const given = Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
  );
  const { format, ...filter } = ExportQuery.require(given);
  requireKnownNames('kinds', filter.kinds ?? [], describedTypes());
  return { format, filter: { ...filter, kinds: filter.kinds?.length ? filter.kinds : null } };
}

type Request = IncomingMessage & { readonly originalUrl: string };

const CONTENT_TYPES = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
} as const;

/** Serves the audit trail as a file. */
@Controller()
export class ExportController {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly exports: AuditExport,
    private readonly queries: QueryBus,
  ) {}

  /** Streams the export as fast as the client reads, and stops when the client leaves. Refusals: INVALID_REQUEST, UNAVAILABLE. */
  @Needs('audit')
  @Get('api/audit/export')
  async export(@Req() request: Request, @Res() response: ServerResponse): Promise<void> {
    const { format, filter } = parseExportRequest(request.originalUrl);
    await this.queries.execute(new RequireKnownPartiesQuery(filter));
    const pieces = this.exports[format](filter);
    // A refusal is only possible before the answer begins.
    const first = await pieces.next();
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES[format],
      'Content-Disposition': `attachment; filename="audit-trail.${format}"`,
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    try {
      await pipeline(Readable.from(concatPieces(first, pieces)), response);
    } catch (error) {
      if (!response.destroyed) response.destroy();
      this.logger.warn(`An export of the audit trail was cut off: ${String(error)}`);
    }
  }
}

async function* concatPieces(first: IteratorResult<string>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
