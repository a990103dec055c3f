import { Injectable, Logger } from '@nestjs/common';
import { z } from 'zod';
import { BaseUrl } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { AsJobHandler } from '../../../platform/jobs/job-runner.js';
import type { JobHandler, NewJob, RunningJob } from '../../../ports/job-queue.port.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { MAX_SMALL_ANSWER_BYTES, PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';

const ANNOUNCE_ADDRESS = 'announce-address';

const AnnounceAddressData = z.object({ peerId: z.string() });

const Answer = wireSchema('answer to an announced address', z.object({ url: BaseUrl }));

/** The job that announces the address of this server to one peer. */
export const announceAddressJob = (peerId: string): NewJob => ({
  name: ANNOUNCE_ADDRESS,
  key: `${ANNOUNCE_ADDRESS}:${peerId}`,
  data: { peerId },
  priority: 20,
});

const ADVICE: Readonly<Record<string, string>> = {
  PEER_ADDRESS_UNCONFIRMED: 'It cannot call this server there. Check ODST_URL, the DNS and firewalls; its log says why',
  PEER_ID_SHARED:
    'Another server answers at the former address with the id and the key of this one. One of the two is a copy, and needs an identity of its own: see docs/how-to/connect-servers.md',
};

/** Announces the address of this server to one peer until the peer has taken it over. */
@AsJobHandler()
@Injectable()
export class AnnounceAddressWorker implements JobHandler {
  readonly name = ANNOUNCE_ADDRESS;
  readonly maxAttempts = 30_000;
  private readonly logger = new Logger('Peers');
  /** What the log has already said about each peer. */
  private readonly said = new Map<string, string>();

  constructor(
    private readonly directory: PeerDirectory,
    private readonly identity: ServerIdentity,
    private readonly transport: PeerTransport,
  ) {}

  /** @throws PeerUnreachable when the peer did not take the address over; it can be tried again */
  async handle(job: RunningJob): Promise<void> {
    const { peerId } = AnnounceAddressData.parse(job.data);
    const { url, reachable } = this.identity;
    const peer = await this.directory.find(peerId);
    // Nobody calls a server that is not reachable at its address.
    if (!peer || peer.suspended || !reachable) return;
    try {
      const answer = await this.transport.postTo(peer, '/peer/v1/address', { url }, MAX_SMALL_ANSWER_BYTES);
      if (Answer.read(answer).data?.url !== url)
        throw new PeerUnreachable(peer.name, 'did not take over the address of this server');
      this.said.delete(peerId);
    } catch (error) {
      if (!(error instanceof PeerUnreachable)) throw error;
      // An earlier version does not know announcements; its administrator has to correct the address there.
      const isOld = error.status === 404 && error.code !== 'PEER_NOT_FOUND';
      const why = isOld
        ? 'Its version does not know announcements. Correct the address there'
        : ADVICE[error.code ?? ''];
      this.sayOnce(
        peerId,
        `${peer.name} keeps the former address of this server (${error.reason}). ${why ?? 'This server keeps trying'}.`,
      );
      if (!isOld) throw error;
    }
    job.signal.throwIfAborted();
  }

  private sayOnce(peerId: string, what: string): void {
    if (this.said.get(peerId) === what) return;
    this.said.set(peerId, what);
    this.logger.warn(what);
  }
}
