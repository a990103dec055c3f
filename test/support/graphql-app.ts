import { Global, Module } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { NestFactory } from '@nestjs/core';
import { Query, Resolver } from '@nestjs/graphql';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import { dataSourceOptions } from '../../src/server/boot/data-source.js';
import { authorityOf, type Authority } from '../../src/kernel/access.js';
import type { RecordedEvent } from '../../src/kernel/events.js';
import { Refusal } from '../../src/kernel/errors.js';
import { SignInResolver } from '../../src/modules/accounts/api/sign-in.resolver.js';
import { SignIn } from '../../src/modules/accounts/sign-in/sign-in.command.js';
import { SignOut } from '../../src/modules/accounts/sign-in/close-sessions.command.js';
import { AuditModule } from '../../src/modules/audit/audit.module.js';
import { PackageChangesResolver } from '../../src/modules/packages/api/package-changes.resolver.js';
import { PackageFieldsResolver } from '../../src/modules/packages/api/package-fields.resolver.js';
import { PackageSignaturesResolver } from '../../src/modules/packages/api/package-signatures.resolver.js';
import { PackagesResolver } from '../../src/modules/packages/api/packages.resolver.js';
import { FactTrust } from '../../src/modules/packages/facts/fact-trust.js';
import { PackageSignaturesHandler } from '../../src/modules/packages/read-model/package-signatures.query.js';
import { PackagesReadModule } from '../../src/modules/packages/packages.module.js';
import { PeersResolver } from '../../src/modules/peers/api/peers.resolver.js';
import { PeersReadModule } from '../../src/modules/peers/peers.module.js';
import {
  LineageSignatureResolver,
  PackageReplicasResolver,
  ReplicaPackageResolver,
} from '../../src/modules/replication/api/package-replicas.resolver.js';
import { ReplicasResolver } from '../../src/modules/replication/api/replicas.resolver.js';
import { QueueModule } from '../../src/modules/queue/queue.module.js';
import { ReplicationReadModule } from '../../src/modules/replication/replication.module.js';
import { currentContext } from '../../src/platform/runtime/call-context.js';
import { Settings } from '../../src/platform/runtime/settings.js';
import { Needs } from '../../src/platform/access/needs.decorator.js';
import { AccessModule } from '../../src/platform/access/access.module.js';
import { PlatformCqrsModule, ProjectionsModule } from '../../src/platform/eventsourcing/eventsourcing.module.js';
import { GraphqlModule } from '../../src/platform/graphql/graphql.module.js';
import { HttpModule } from '../../src/platform/http/http.module.js';
import { OdsHttpAdapter } from '../../src/platform/http/ods-http-adapter.js';
import { ProjectionRunner } from '../../src/platform/eventsourcing/projection-runner.js';
import { KnownKeys } from '../../src/platform/peer-calls/known-keys.port.js';
import { SignerKeys } from '../../src/platform/peer-calls/signer-keys.port.js';
import { JobsModule } from '../../src/platform/jobs/jobs.module.js';
import { Database } from '../../src/ports/database.port.js';
import { EventStore } from '../../src/ports/event-store.port.js';
import { JobQueue } from '../../src/ports/job-queue.port.js';
import { Locks } from '../../src/ports/locks.port.js';
import { ServerIdentity } from '../../src/ports/server-identity.port.js';
import { type Principal, Principals, RefusedCalls } from '../../src/platform/access/access.port.js';
import { ScriptedQueue } from './scripted-queue.js';
import { MemoryLocks } from './memory-locks.js';
import { createTestDatabase, type TestDatabase, TestDatabasePort } from './test-database.js';
import { NoSignerKeys } from './no-signer-keys.js';

export const TOKEN = 'good-token';

/** Of a second session. */
export const OTHER_TOKEN = 'other-token';

const open = new Set<string>();

/** An admin, signed in by either token. */
class TwoSessions extends Principals {
  override authenticate(token: string): Promise<Principal | null> {
    const proof = { kind: 'session', id: token } as const;
    const actor = { kind: 'account', id: 'a-1', name: 'admin' } as const;
    const authority = authorityOf('admin', ['admin'], null);
    return Promise.resolve(
      open.has(token)
        ? { actor, accountId: 'a-1', authority, proof, expiresAt: new Date('2100-01-01'), mustChangePassword: false }
        : null,
    );
  }

  override authorityNow({ authority }: Principal): Promise<Authority> {
    return Promise.resolve(authority);
  }

  override onChange(): () => void {
    return () => undefined;
  }
}

@CommandHandler(SignOut)
class SignOutHandler implements ICommandHandler<SignOut> {
  async execute() {
    open.delete(currentContext().principal?.proof.id ?? '');
    return { cursor: null, types: [] };
  }
}

@CommandHandler(SignIn)
class SignInHandler implements ICommandHandler<SignIn> {
  async execute({ password }: SignIn) {
    if (password !== 'right') throw new Refusal('SIGN_IN_REFUSED', 'Username or password is wrong.');
    return { token: TOKEN, expiresAt: new Date('2030-01-01T00:00:00Z'), receipt: { cursor: null, types: [] } };
  }
}

/** Fails in a way that nobody expected. */
@Resolver()
class BrokenResolver {
  @Needs('read')
  @Query(() => String)
  broken(): string {
    throw new Error('secret of /etc/passwd');
  }

  /** Somebody forgot to say what it needs. */
  @Query(() => String)
  unstated(): string {
    return 'told';
  }
}

const RESOLVERS = [
  SignInResolver,
  PackagesResolver,
  PackageFieldsResolver,
  PackageSignaturesResolver,
  PackageChangesResolver,
  ReplicaPackageResolver,
  PackageReplicasResolver,
  LineageSignatureResolver,
  ReplicasResolver,
  PeersResolver,
  BrokenResolver,
];

/** GraphQL over real HTTP, read models and log, without what writes. */
export class GraphqlApp {
  private constructor(
    private readonly database: TestDatabase,
    private readonly app: NestExpressApplication,
    readonly store: PostgresEventStore,
    readonly queue: ScriptedQueue,
  ) {}

  static async start(
    settings: Pick<Settings, 'introspection'> = { introspection: true },
    keys: SignerKeys = new NoSignerKeys(),
  ): Promise<GraphqlApp> {
    for (const token of [TOKEN, OTHER_TOKEN]) open.add(token);
    const database = await createTestDatabase();
    const queue = new ScriptedQueue();
    const store = new PostgresEventStore(database.settings);
    const values = [
      { provide: EventStore, useValue: store },
      { provide: Database, useValue: new TestDatabasePort(database.settings) },
      { provide: Principals, useClass: TwoSessions },
      { provide: RefusedCalls, useValue: { note: async () => undefined } },
      { provide: ServerIdentity, useValue: { serverId: 'test', url: 'http://test', publicKey: '' } },
      { provide: KnownKeys, useValue: { keyKnownTo: () => '' } },
      { provide: SignerKeys, useValue: keys },
      { provide: Locks, useValue: new MemoryLocks() },
      { provide: JobQueue, useValue: queue },
      { provide: Settings, useValue: { graphqlRate: 50, ...settings } },
    ];
    @Global()
    @Module({
      providers: values,
      exports: [
        EventStore,
        Database,
        Principals,
        RefusedCalls,
        ServerIdentity,
        KnownKeys,
        SignerKeys,
        Locks,
        JobQueue,
        Settings,
      ],
    })
    class Engines {}

    const readModels = TypeOrmModule.forRoot({
      ...dataSourceOptions(database.settings, 'read'),
      autoLoadEntities: true,
    });
    const platform = [HttpModule, PlatformCqrsModule, ProjectionsModule, AccessModule, GraphqlModule, JobsModule];
    const modules = [PackagesReadModule, ReplicationReadModule, PeersReadModule, AuditModule, QueueModule];
    @Module({
      imports: [Engines, readModels, ...platform, ...modules],
      providers: [...RESOLVERS, SignInHandler, SignOutHandler, FactTrust, PackageSignaturesHandler],
    })
    class App {}

    const options = { logger: false, abortOnError: false } as const;
    const app = await NestFactory.create<NestExpressApplication>(App, new OdsHttpAdapter(), options);
    await app.listen(0, '127.0.0.1');
    await app.get(ProjectionRunner).start();
    return new GraphqlApp(database, app, store, queue);
  }

  get url(): string {
    const address = this.app.getHttpServer().address();
    if (address === null || typeof address === 'string') throw new Error('Not listening on a port');
    return `http://127.0.0.1:${address.port}/graphql`;
  }

  async record(...events: readonly RecordedEvent[]): Promise<void> {
    await this.store.append('any', events, 'any');
  }

  /** Sends a body as it is; the parsed answer with its HTTP status. */
  async post(body: unknown, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
  }

  query(query: string, variables: object = {}) {
    return this.post({ query, variables });
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.store.close();
    await this.database.drop();
  }
}

/** Codes of the errors of an answer; undefined when there are none. */
export const codes = (answer: { body: { errors?: { extensions: { code: string } }[] } }) =>
  answer.body.errors?.map(({ extensions }) => extensions.code);
