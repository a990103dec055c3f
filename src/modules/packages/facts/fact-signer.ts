import { Injectable } from '@nestjs/common';
import { type Stamp, stampServer } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { unsignedRegisters } from '../contracts/fact-proofs.js';
import type { KnownPackage } from '../contracts/known-package.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import type { Author, PackagePublished } from '../contracts/package.events.js';
import { type FactStatement, factText, type SignedFact } from '../contracts/signed-facts.js';

type AboutPackage = Pick<PackageFacts, 'packageId' | 'filename' | 'sha256'>;
type Published = Omit<PackagePublished['data'], 'source' | 'proofs'>;

/** Signs what happens to packages on this server, in the name of the caller. */
@Injectable()
export class FactSigner {
  constructor(private readonly identity: ServerIdentity) {}

  /** Signs a publication on this server. @param isOwnStage says whether the stage was set by this publication */
  signPublication(published: Published, isOwnStage = true): SignedFact {
    const { size, sha1, chunkSize, chunkCount, publication, firstPublishedAt, origin, uploadedBy } = published;
    const stage = isOwnStage ? { stage: published.stage, stamp: published.stageStamp } : null;
    return this.sign({
      kind: 'publication',
      ...aboutOf(published),
      serverId: origin.serverId,
      serverName: origin.name,
      actor: uploadedBy,
      size,
      sha1,
      chunkSize,
      chunkCount,
      publication,
      stage,
      firstPublishedAt,
    });
  }

  signStage(about: AboutPackage, stage: Stage, stamp: Stamp, actor = currentContext().actor.name): SignedFact {
    return this.sign({ kind: 'stage', ...aboutOf(about), ...this.authorOf(actor), stage, stamp });
  }

  signRemoval(about: AboutPackage, stamp: Stamp, actor = currentContext().actor.name): SignedFact {
    return this.sign({ kind: 'removal', ...aboutOf(about), ...this.authorOf(actor), stamp });
  }

  /** Signs the registers of a package that this server has set without signing them. */
  signOwnRegisters({ facts, proofs, authors }: KnownPackage): readonly SignedFact[] {
    if (!facts) return [];
    const isOwn = (stamp: Stamp | null): stamp is Stamp =>
      stamp !== null && stampServer(stamp) === this.identity.serverId;
    const signed: SignedFact[] = [];
    for (const register of unsignedRegisters(facts, proofs)) {
      if (register === 'publication' && isOwn(facts.publication)) signed.push(this.signPublication(facts, false));
      if (register === 'stage' && isOwn(facts.stageStamp))
        signed.push(this.signStage(facts, facts.stage, facts.stageStamp, actorOf(authors.stage, facts)));
      if (register === 'removal' && isOwn(facts.removal))
        signed.push(this.signRemoval(facts, facts.removal, actorOf(authors.removal, facts)));
    }
    return signed;
  }

  private authorOf(actor: string) {
    return { serverId: this.identity.serverId, serverName: this.identity.name, actor };
  }

  private sign(statement: FactStatement): SignedFact {
    const { publicKey } = this.identity;
    const signature = this.identity.sign(factText(statement), publicKey);
    return { statement, publicKey, signature: Buffer.from(signature).toString('base64url') };
  }
}

/** A stage without an author of its own was set by the publication. */
const actorOf = (author: Author | null, { uploadedBy }: PackageFacts): string => author?.actor ?? uploadedBy;

const aboutOf = ({ packageId, filename, sha256 }: AboutPackage): AboutPackage => ({ packageId, filename, sha256 });
