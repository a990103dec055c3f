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
import type { AuditFilter } from '../trail/audit-view.js';
import { readNewestSeq } from '../trail/seq-range.js';
import { CSV_HEADER, csvEnd, csvFields, csvRecord } from './csv.js';
import { readEntryPages, readExportLines } from './export-lines.js';
import { exportEndBytes, type ExportHeader, type ExportLine, FORMAT } from './export-format.js';

/** Longest time that an export waits until the chain contains the last recorded event. */
const CHAIN_TIMEOUT_MS = 10_000;

const isEmptyFilter = (filter: AuditFilter): boolean =>
  Object.values(filter).every((part) => part === null || part === undefined || part === '');

/** Exports the audit trail as text, piece by piece. The next piece is made when the last one was taken. */
@Injectable()
export class AuditExport {
  constructor(
    private readonly dataSource: DataSource,
    private readonly store: EventStore,
    private readonly readModels: ReadModels,
    @Inject(ServerIdentity) private readonly identity: Pick<ServerIdentity, 'serverId' | 'name' | 'publicKey' | 'sign'>,
  ) {}

  /** CSV (RFC 4180). The first record has the names, the last one says that the export is complete. @throws Refusal UNAVAILABLE */
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

  /** One JSON object per line, with everything that is needed to verify the export. @throws Refusal UNAVAILABLE */
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

  /** Waits until the export contains everything that was recorded before it was requested. */
  private async waitUntilCurrent(): Promise<void> {
    const head = await this.store.head();
    await this.readModels.reflect({ cursor: head, types: describedTypes() });
    for (const deadline = Date.now() + CHAIN_TIMEOUT_MS; Date.now() < deadline; await delay(50)) {
      const place = await readPlace(this.dataSource);
      if (this.store.compareCursors(place?.cursor ?? null, head) >= 0) return;
    }
  }
}
