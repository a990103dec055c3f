import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { readLastLink, readPlace } from '../chain/chain-table.js';
import { AuditProjection } from '../trail/audit.projection.js';
import { describedTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import type { AuditFilter } from '../trail/audit-trail.query.js';
import { readNewestSeq } from '../trail/seq-range.js';
import { CSV_HEADER, csvEnd, csvFields, csvRecord } from './csv.js';
import { readEntryPages, readExportLines } from './export-lines.js';
import { exportEndBytes, type ExportHeader, type ExportLine, FORMAT } from './export-format.js';

/** So long an export waits for the chain to come to what was recorded last, in milliseconds. */
const CHAIN_TIMEOUT_MS = 10_000;

export const isEmptyFilter = (filter: AuditFilter): boolean =>
  Object.values(filter).every((part) => part === null || part === undefined || part === '');

/** The audit trail as text, piece by piece: the next is made when the last was taken. */
@Injectable()
export class AuditExport {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: EventStore,
    private readonly readModels: ReadModels,
    @Inject(ServerIdentity) private readonly identity: Pick<ServerIdentity, 'serverId' | 'name' | 'publicKey' | 'sign'>,
  ) {}

  /** RFC 4180, with a first record of names and a last one that says that it is complete. @throws Refusal UNAVAILABLE */
  async *csv(filter: AuditFilter): AsyncGenerator<string> {
    await this.waitUntilCurrent();
    const upTo = await readNewestSeq(this.dataSource);
    let entries = 0;
    yield csvRecord(CSV_HEADER);
    for await (const page of readEntryPages(this.dataSource, filter, upTo)) {
      entries += page.length;
      yield page.map((entry) => csvRecord(csvFields(entry))).join('');
    }
    yield csvRecord(csvEnd(entries));
  }

  /** A JSON object a line; what is needed to verify it is in it. @throws Refusal UNAVAILABLE */
  async *ndjson(filter: AuditFilter): AsyncGenerator<string> {
    await this.waitUntilCurrent();
    const end = await readLastLink(this.dataSource);
    const digest = createHash('sha256');
    let entries = 0;
    const write = (lines: readonly ExportLine[]): string => {
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      digest.update(text);
      return text;
    };
    yield write([{ export: this.makeHeader(filter, end.number) }]);
    for await (const lines of readExportLines(
      this.dataSource,
      this.store,
      isEmptyFilter(filter) ? null : filter,
      end.number,
    )) {
      entries += lines.filter((line) => 'entry' in line).length;
      yield write(lines);
    }
    yield write([this.makeEnd(entries, end, digest.copy().digest('hex'))]);
  }

  private makeHeader(filter: AuditFilter, entries: number): ExportHeader {
    const { serverId, name: serverName } = this.identity;
    const stories = new AuditProjection().version;
    return {
      format: FORMAT,
      serverId,
      serverName,
      at: new Date().toISOString(),
      filter: isEmptyFilter(filter) ? null : filter,
      stories,
      entries,
    };
  }

  private makeEnd(
    entries: number,
    { number, hash }: { readonly number: number; readonly hash: string },
    lines: string,
  ): ExportLine {
    const { serverId, publicKey: key } = this.identity;
    const end = { entries, number, hash, lines, serverId, at: new Date().toISOString(), key };
    return {
      end: { ...end, signature: Buffer.from(this.identity.sign(exportEndBytes(end), key)).toString('base64url') },
    };
  }

  /** What was recorded before the export was asked for is in it. */
  private async waitUntilCurrent(): Promise<void> {
    const head = await this.store.head();
    await this.readModels.reflect({ cursor: head, types: describedTypes() });
    for (const deadline = Date.now() + CHAIN_TIMEOUT_MS; Date.now() < deadline; await delay(50)) {
      const place = await readPlace(this.dataSource);
      if (this.store.compareCursors(place?.cursor ?? null, head) >= 0) return;
    }
  }
}
