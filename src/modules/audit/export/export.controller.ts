import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Logger, Req, Res } from '@nestjs/common';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { AuditExport } from './audit-export.js';
import { parseExportRequest } from './export-request.js';

type Request = IncomingMessage & { readonly originalUrl: string };

const CONTENT_TYPES = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
} as const;

/** The audit trail as a file. */
@Controller()
export class ExportController {
  private readonly logger = new Logger('Audit');

  constructor(private readonly exports: AuditExport) {}

  /** Streamed as fast as it is read; a client that leaves ends it. Refusals: INVALID_REQUEST, UNAVAILABLE. */
  @Needs('audit')
  @Get('api/audit/export')
  async export(@Req() request: Request, @Res() response: ServerResponse): Promise<void> {
    const { format, filter } = parseExportRequest(request.originalUrl);
    const pieces = this.exports[format](filter);
    // What is refused is refused before the answer begins.
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
