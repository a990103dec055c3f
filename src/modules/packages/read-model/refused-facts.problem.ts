import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AsProblemSource, type Problem, type ProblemSource } from '../../../platform/problems/problem-source.js';
import { RightsOfPeers } from '../../peers/contracts/peer-rights.js';
import type { FactRefusal } from '../contracts/package.events.js';

/** A refusal is listed for so long after the last one of its kind. */
const SHOWN_DAYS = 30;
const MAX_EXAMPLES = 10;

const ADVICE: Readonly<Record<FactRefusal, string>> = {
  NOT_ALLOWED:
    'If the changes were meant, give the server the right (setPeerRights), or make them on a server that has it. If not, ' +
    'somebody may have taken that server over: suspendPeer stops the exchange with it. See docs/how-to/limit-a-peer.md.',
  FORGED:
    'The peer passes on statements that their server did not sign. Compare the fingerprints of the keys with the ' +
    'administrators of both servers. If they are right, the peer may be taken over: suspendPeer stops the exchange with it.',
  IN_OUR_NAME:
    'The peer tells changes in the name of this server that it did not make. If this server was not restored from a backup ' +
    'under other keys, the peer may be taken over: suspendPeer stops the exchange with it.',
  UNSIGNED:
    'Update the servers that do not sign their changes yet. If they are all up to date, the peer leaves signatures out or ' +
    'changes what it passes on: look at that server. See docs/how-to/connect-servers.md.',
};

interface Row {
  readonly peerId: string;
  readonly peerName: string;
  readonly code: FactRefusal;
  readonly since: Date;
  readonly latest: Date;
  readonly count: number;
  readonly examples: readonly string[];
}

/** Tells of peers that told what this server does not accept, one problem for each peer and code. */
@AsProblemSource()
@Injectable()
export class RefusedFactsProblem implements ProblemSource {
  constructor(
    private readonly dataSource: DataSource,
    private readonly peers: RightsOfPeers,
  ) {}

  async findProblems(): Promise<readonly Problem[]> {
    const rows = await this.findRefused();
    // Nothing is taken from a server that is no longer registered.
    return rows.filter(({ peerId }) => this.peers.rightsOf(peerId) !== null).map(toProblem);
  }

  /** A refusal is no problem any more when the value was accepted later, or a later value of the register replaced it. */
  private findRefused(): Promise<readonly Row[]> {
    return this.dataSource.query(
      `SELECT peer_id AS "peerId", code, min(refused_at) AS since, max(refused_at) AS latest,
         (array_agg(peer_name ORDER BY refused_at DESC))[1] AS "peerName", sum(refusals)::int AS count,
         (array_agg(refused.filename || ' (' || register || '): ' || reason ORDER BY refused_at DESC))[1:${MAX_EXAMPLES}]
           AS examples
       FROM refused_facts refused LEFT JOIN packages known ON known.id = refused.package_id
       WHERE refused_at > now() - make_interval(days => ${SHOWN_DAYS}) AND NOT coalesce(CASE register
         WHEN 'publication' THEN known.publication COLLATE "C" >= stamp
         WHEN 'stage' THEN known.stage_stamp COLLATE "C" >= stamp
         WHEN 'removal' THEN known.removal COLLATE "C" >= stamp
         ELSE known.first_published_at <= stamp::timestamptz END, false)
       GROUP BY peer_id, code`,
    );
  }
}

const toProblem = ({ peerName, code, since, latest, count, examples }: Row): Problem => ({
  kind: 'FACTS_REFUSED',
  what:
    `The peer ${peerName} told what this server does not accept (${code}). ` +
    `Refusals: ${count}, the last one at ${latest.toISOString()}.`,
  where: `peer ${peerName}`,
  since,
  latest,
  advice: ADVICE[code],
  count,
  examples,
});
