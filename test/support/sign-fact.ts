import type { PackagePublished } from '../../src/modules/packages/contracts/package.events.js';
import {
  type FactStatement,
  factText,
  type PublicationStatement,
  type SignedFact,
} from '../../src/modules/packages/contracts/signed-facts.js';

interface Signs {
  readonly publicKey: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** A statement with the signature of a server. */
export function signFact(statement: FactStatement, signer: Signs): SignedFact {
  const signature = Buffer.from(signer.sign(factText(statement))).toString('base64url');
  return { statement, publicKey: signer.publicKey, signature };
}

/** What the server of a publication says of it. */
export function publicationStatement(published: PackagePublished['data']): PublicationStatement {
  const { packageId, filename, size, sha1, sha256, chunkSize, chunkCount } = published;
  const { publication, stage, stageStamp, firstPublishedAt, origin, uploadedBy } = published;
  return {
    kind: 'publication',
    packageId,
    filename,
    size,
    sha1,
    sha256,
    chunkSize,
    chunkCount,
    serverId: origin.serverId,
    serverName: origin.name,
    actor: uploadedBy,
    publication,
    stage: { stage, stamp: stageStamp },
    firstPublishedAt,
  };
}
