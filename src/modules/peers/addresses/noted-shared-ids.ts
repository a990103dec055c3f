import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AsProblemSource, type Problem, type ProblemSource } from '../../../platform/problems/problem-source.js';
import { COPY_ADVICE, SharedIds } from '../contracts/shared-ids.js';

interface Meeting {
  readonly name: string;
  readonly where: string;
  readonly since: Date;
  readonly latest: Date;
  readonly count: number;
}

/** Both servers try again at least once a minute, so after this time without a sign there are no longer two. */
const SHOWN_FOR_MS = 60 * 60_000;
const MAX_PEERS = 1000;

/** Remembers which peers were met twice in the last hour, in this process. */
@AsProblemSource()
@Injectable()
export class NotedSharedIds extends SharedIds implements ProblemSource {
  private readonly logger = new Logger('Peers');
  private readonly met = new LRUCache<string, Meeting>({ max: MAX_PEERS, ttl: SHOWN_FOR_MS });

  note({ peerId, name }: { readonly peerId: string; readonly name: string }, where: string): void {
    const before = this.met.get(peerId);
    const now = new Date();
    this.met.set(peerId, { name, where, since: before?.since ?? now, latest: now, count: (before?.count ?? 0) + 1 });
    if (before?.where !== where)
      this.logger.error(`Two servers have the id and the key of ${name}: ${where}. ${COPY_ADVICE}`);
  }

  findProblems(): Promise<readonly Problem[]> {
    const problems = [...this.met.entries()].map(([peerId, { name, where, since, latest, count }]) => ({
      kind: 'PEER_ID_SHARED',
      what: `Two servers have the id and the key of ${name}: ${where}.`,
      where: name,
      since,
      latest,
      advice: COPY_ADVICE,
      count,
      examples: [peerId],
    }));
    return Promise.resolve(problems);
  }
}
