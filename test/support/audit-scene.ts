import { Logger } from '@nestjs/common';
import { DataSource, getMetadataArgsStorage } from 'typeorm';
import { v7 } from 'uuid';
import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import { dataSourceOptions } from '../../src/server/boot/data-source.js';
import { allProjections } from '../../src/server/boot/read-models.js';
import type { Json, NewEvent } from '../../src/kernel/events.js';
import { AuditChain } from '../../src/modules/audit/chain/audit-chain.js';
import { ChainSigner } from '../../src/modules/audit/chain/chain-signer.js';
import { readPlace } from '../../src/modules/audit/chain/chain-table.js';
import { readLastCheckpoint } from '../../src/modules/audit/chain/checkpoint-table.js';
import { AuditProjection } from '../../src/modules/audit/trail/audit.projection.js';
import { LogVerification, type Verified, type VerifyOptions } from '../../src/modules/audit/verify/log-verification.js';
import { foldHistory } from '../../src/platform/eventsourcing/rebuild.js';
import { generateOwnKey, signerOf, type OwnKey } from '../../src/platform/secrets/key-ring.js';
import type { EventStore } from '../../src/ports/event-store.port.js';
import { runTask } from './background-task.js';
import { OWN_SERVER, publication, recorded } from './read-side.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';
import { waitFor } from './wait-for.js';

/** A server's name, keys and signature, without the server. */
export class TestIdentity {
  readonly serverId = OWN_SERVER;
  readonly name = 'Here';
  private readonly keys: OwnKey[] = [generateOwnKey(OWN_SERVER)];

  get publicKey(): string {
    return this.key().publicKey;
  }

  sign(bytes: Uint8Array, publicKey = this.publicKey): Uint8Array {
    return signerOf(this.key(publicKey))(bytes);
  }

  addKey(): string {
    this.keys.push(generateOwnKey(OWN_SERVER));
    return this.publicKey;
  }

  private key(publicKey?: string): OwnKey {
    const key = publicKey === undefined ? this.keys.at(-1) : this.keys.find((one) => one.publicKey === publicKey);
    if (!key) throw new Error('There is no such key');
    return key;
  }
}

/** The audit trail of a log on a database of its own, with its chain. */
export class AuditScene {
  private constructor(
    private readonly database: TestDatabase,
    readonly store: EventStore,
    readonly dataSource: DataSource,
    readonly identity = new TestIdentity(),
  ) {}

  /** The same database with another log. What was derived from the former is begun afresh, as at the start of a server. */
  on(store: EventStore): AuditScene {
    return new AuditScene(this.database, store, this.dataSource, this.identity);
  }

  static async open(): Promise<AuditScene> {
    const scene = await AuditScene.openEmpty();
    const { serverId, publicKey } = scene.identity;
    await scene.record('server', [
      'ServerInitialised',
      { serverId, publicKey, name: 'Here', url: 'http://here', stage: 'Prod' },
    ]);
    return scene;
  }

  /** Without an event. */
  static async openEmpty(identity = new TestIdentity()): Promise<AuditScene> {
    Logger.overrideLogger(['error']);
    const database = await createTestDatabase();
    const entities = getMetadataArgsStorage().tables.map((table) => table.target);
    allProjections();
    const dataSource = await new DataSource({ ...dataSourceOptions(database.settings, 'read'), entities }).initialize();
    return new AuditScene(database, new PostgresEventStore(database.settings), dataSource, identity);
  }

  get settings() {
    return this.database.settings;
  }

  async record(stream: string, ...events: readonly (readonly [string, Json, number?])[]): Promise<readonly NewEvent[]> {
    const news = events.map(([type, data, schemaVersion = 1]): NewEvent => {
      return { id: v7(), type, data, metadata: { ...recorded(type, data).metadata, schemaVersion } };
    });
    await this.store.append(stream, news, 'any');
    return news;
  }

  /** Publications, each followed by a change of its stage. */
  async publish(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const data = publication(`app-${v7()}.pkg`);
      const { packageId, filename, stageStamp: stamp } = data;
      const source = { kind: 'local' };
      const staged: Json = { packageId, filename, from: 'Prod', to: 'Test', stamp, source };
      const chunks: Json = { packageId, first: 0, count: 3, sha1: 'QUFB'.repeat(1000), sha256: 'QkJC'.repeat(1000) };
      await this.record(
        `package-${packageId}`,
        ['PackageChunksHashed', chunks],
        ['PackagePublished', { ...data }],
        ['PackageStageChanged', staged],
      );
    }
  }

  chain(): AuditChain {
    return new AuditChain(this.store, this.dataSource, new ChainSigner(this.dataSource, this.identity));
  }

  /** Chain, checkpoint and entries come to the end of the log. */
  async catchUp(): Promise<void> {
    const chain = runTask(this.chain());
    const head = await this.store.head();
    await waitFor('the chain', async () => (await readPlace(this.dataSource))?.cursor === head);
    await chain.stop();
    await this.sql('TRUNCATE read.audit_entries, read.audit_actors, read.audit_subjects, read.checkpoints');
    await foldHistory(this.dataSource, new AuditProjection(), this.store);
  }

  async checkpoint() {
    const last = await readLastCheckpoint(this.dataSource);
    if (!last) throw new Error('There is no checkpoint');
    return last.checkpoint;
  }

  verify(options: Partial<VerifyOptions> = {}): Promise<Verified> {
    return new LogVerification(this, { anchors: new Set([this.identity.publicKey]), ...options }).run();
  }

  sql(statement: string, values: readonly unknown[] = []): Promise<unknown> {
    return this.dataSource.query(statement, [...values]);
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.dataSource.destroy();
    await this.database.drop();
  }
}
