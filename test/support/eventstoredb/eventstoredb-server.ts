import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { GossipService } from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { EventLog } from './log/event-log.js';
import { Access } from './network/access.js';
import { Front } from './network/front.js';
import type { ServerOptions } from './options.js';
import { MAX_MESSAGE_BYTES } from './protocol/limits.js';
import { appendHandler } from './services/append/append.js';
import { Appender } from './services/append/appender.js';
import { batchAppendHandler } from './services/append/batch-append.js';
import { Reader } from './services/read/read.js';
import { answerWith, clusterOf, supportedMethods } from './services/server-info.js';

const HOST = '127.0.0.1';

/**
 * A stand-in for EventStoreDB that speaks its gRPC protocol, with controls that break it in the ways networks and
 * servers do. Not there: deleting, links and projections, persistent subscriptions, the effects of stream metadata
 * (`$maxCount`, ACLs), scavenging, clusters of several nodes.
 */
export class EventStoreDbServer {
  readonly log: EventLog;
  port: number;
  private readonly front = new Front();
  private readonly appender: Appender;
  private readonly reader: Reader;
  private readonly access: Access;
  private grpc: Server | undefined;

  constructor(private readonly options: ServerOptions = {}) {
    this.port = options.port ?? 0;
    this.log = new EventLog({
      dataFile: options.dataFile,
      systemEventEvery: options.systemEventEvery ?? 5,
      recentIds: options.recentIds ?? 100_000,
      sharedCommits: options.sharedCommits ?? false,
    });
    this.access = new Access(options.user);
    this.appender = new Appender(this.log, () => this.front.cut());
    this.reader = new Reader(this.log, this.access, options.tellsProgress ?? true);
  }

  static async start(options?: ServerOptions): Promise<EventStoreDbServer> {
    const server = new EventStoreDbServer(options);
    await server.start();
    return server;
  }

  /** Connection string for clients; a TLS client needs `tlsCAFile` too. */
  get url(): string {
    return `esdb://${this.authority}`;
  }

  /** The same, by way of Gossip. */
  get discoverUrl(): string {
    return `esdb+discover://${this.authority}`;
  }

  /** Starts, or starts again on the same port with the same content. */
  async start(): Promise<void> {
    this.log.open();
    this.grpc = this.serve();
    const bind = promisify(this.grpc.bindAsync.bind(this.grpc));
    this.port = await this.front.open(this.port, await bind(`${HOST}:0`, this.credentials()));
  }

  /** Stops as a crash does: connections are reset, calls get no answer. */
  async stop(): Promise<void> {
    await this.front.close();
    this.appender.forget();
    this.grpc?.forceShutdown();
    this.dropSubscriptions();
    this.log.close();
  }

  /** Number of subscriptions that run now. */
  get subscriptions(): number {
    return this.reader.subscriptions.size;
  }

  /** Ends all subscriptions in good order: clients see an end and no error. */
  dropSubscriptions(): void {
    for (const subscription of this.reader.subscriptions) subscription.drop();
  }

  /** Resets all connections; new ones are welcome. */
  cutConnections(): void {
    this.front.cut();
  }

  /** A black hole: connections are accepted and stay, but not a byte is answered, pings included. */
  stall(): void {
    this.front.stall();
  }

  resume(): void {
    this.front.resume();
  }

  /** From now on appends are stored and answered this much later; with Infinity neither, while pings are still answered. */
  delayAppends(ms: number): void {
    this.appender.delayMs = ms;
  }

  /** The next append is stored, then all connections are cut before it is answered. */
  loseNextReply(): void {
    this.appender.losesNextReply = true;
  }

  private get version(): string {
    return this.options.tellsProgress === false ? '22.10.0' : '23.10.0';
  }

  private get authority(): string {
    const { tls, user } = this.options;
    const credentials = user ? `${encodeURIComponent(user.name)}:${encodeURIComponent(user.password)}@` : '';
    return `${credentials}${HOST}:${this.port}?tls=${tls !== undefined}`;
  }

  private serve(): Server {
    const server = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES });
    server.addService(StreamsService, {
      append: appendHandler(this.appender, this.access),
      batchAppend: batchAppendHandler(this.appender, this.access),
      read: this.reader.read,
    });
    server.addService(ServerFeaturesService, { getSupportedMethods: answerWith(() => supportedMethods(this.version)) });
    server.addService(GossipService, { read: answerWith(() => clusterOf(HOST, this.port)) });
    return server;
  }

  private credentials(): ServerCredentials {
    const { tls } = this.options;
    if (!tls) return ServerCredentials.createInsecure();
    return ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }]);
  }
}
