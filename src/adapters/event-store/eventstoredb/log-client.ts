import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { EventStoreDBClient } from '@eventstore/db-client';
import { errorCode, messageOf, StartupError } from '../../../kernel/errors.js';
import { ConnectionGone, withTimeout } from './errors.js';
import type { EventStoreDbAddress } from './eventstoredb-url.js';

/** The certificates in PEM, under the names that the client uses. */
interface Certificates {
  readonly rootCertificate?: Buffer;
  readonly userCertFile?: Buffer;
  readonly userKeyFile?: Buffer;
}

/** Reads the certificate files that the connection string names. @throws StartupError when a file can't be read or used */
export function readCertificates(address: EventStoreDbAddress): Certificates {
  const certificates: Certificates = {
    ...readPemFile('rootCertificate', 'tlsCAFile', address.tlsCaFile),
    ...readPemFile('userCertFile', 'userCertFile', address.userCertFile),
    ...readPemFile('userKeyFile', 'userKeyFile', address.userKeyFile),
  };
  try {
    createSecureContext({
      ca: certificates.rootCertificate,
      cert: certificates.userCertFile,
      key: certificates.userKeyFile,
    });
  } catch (error) {
    throw new StartupError(
      `A certificate file of EVENTSTOREDB_URL is not a certificate or key in PEM: ${messageOf(error)}`,
      error,
    );
  }
  return certificates;
}

function readPemFile(name: keyof Certificates, option: string, path: string | undefined): Certificates {
  if (path === undefined) return {};
  try {
    const bytes = readFileSync(path);
    if (!bytes.includes('-----BEGIN ')) throw new Error('it has no PEM block');
    return { [name]: bytes };
  } catch (error) {
    const reason = errorCode(error) ?? messageOf(error);
    throw new StartupError(
      `The ${option} of EVENTSTOREDB_URL, ${path}, cannot be used (${reason}). Name a readable PEM file.`,
      error,
    );
  }
}

/** A connection without any answer is closed after the sum of both times. */
const KEEPALIVE_INTERVAL_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
/** Deadline of one call, in milliseconds. */
export const CALL_TIMEOUT_MS = 5_000;
/** `connectivityState.SHUTDOWN` of gRPC. */
const SHUTDOWN: number = 4;

/** The client of EventStoreDB. The methods that could harm other calls or the whole process are replaced. */
export class LogClient extends EventStoreDBClient {
  /** When the client is closed, reads under way end as if they were complete. Their result must not be used. */
  isClosed = false;
  private open: { close(): void } | null = null;

  constructor(address: EventStoreDbAddress, certificates: Certificates, onTrouble: (error: unknown) => void) {
    const settings = settingsOf(address);
    const [endpoint, ...others] = address.hosts;
    if (!endpoint) throw new Error('No host');
    const credentials = address.credentials;
    // The client asks only a list of hosts for the leader, so one host is passed as a list as well.
    if (address.discover)
      super(
        { ...settings, endpoints: [endpoint, ...others] },
        { insecure: !address.tls, ...certificates },
        credentials,
      );
    else super({ ...settings, endpoint }, { insecure: !address.tls, ...certificates }, credentials);
    /*
     * Without "batch append", each append is a call of its own. The batch calls of all clients of a process share one
     * table of waiting appends. When one stream fails, all appends in the table are rejected, and a later answer is
     * thrown as a TypeError that nobody can catch.
     */
    this.supports = async () => false;
    this.guardAgainstClosedChannels();
    // The client does not await this promise. A rejection (no node was found for a new connection) would end the process.
    const handle = this.handleError;
    this.handleError = (client, error) => handle(client, error).catch(onTrouble);
    const connect = this.getChannel;
    this.getChannel = async () => (this.open = await connect());
  }

  /** Ends all calls and the connection. */
  async close(): Promise<void> {
    this.isClosed = true;
    await withTimeout(CALL_TIMEOUT_MS, 'the end of all calls', this.dispose()).catch(() => undefined);
    this.open?.close();
  }

  /**
   * The failure of one call closes the channel, perhaps just before another call begins on it. An append would then never
   * settle, and would reject an internal promise of the client that nobody can catch.
   */
  private guardAgainstClosedChannels(): void {
    const execute = this.execute;
    this.execute = (Client, name, action) =>
      execute(Client, name, async (client) => {
        if (this.isClosed || client.getChannel().getConnectivityState(false) === SHUTDOWN) throw new ConnectionGone();
        return action(client);
      });
  }
}

function settingsOf(address: EventStoreDbAddress) {
  return {
    connectionName: address.connectionName ?? 'odst',
    keepAliveInterval: address.keepAliveInterval ?? KEEPALIVE_INTERVAL_MS,
    keepAliveTimeout: address.keepAliveTimeout ?? KEEPALIVE_TIMEOUT_MS,
    defaultDeadline: CALL_TIMEOUT_MS,
    ...(address.maxDiscoverAttempts && { maxDiscoverAttempts: address.maxDiscoverAttempts }),
    ...(address.discoveryInterval && { discoveryInterval: address.discoveryInterval }),
    ...(address.gossipTimeout && { gossipTimeout: address.gossipTimeout }),
  };
}
