import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { stampMs, stampServer } from '../../../kernel/hybrid-clock.js';
import { describeSignature, type SignatureStatus } from '../../../platform/peer-calls/describe-signature.js';
import { keyFingerprint } from '../../../platform/peer-calls/ed25519.js';
import { SignerKeys } from '../../../platform/peer-calls/signer-keys.port.js';
import { proofOf } from '../contracts/fact-proofs.js';
import { type FactSignatureView, NAME_OF_REGISTER, PackageSignaturesQuery } from '../contracts/fact-signatures.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import { type Register, REGISTERS, type SignedFact } from '../contracts/signed-facts.js';
import { FactTrust } from '../facts/fact-trust.js';
import type { ProofVerdict } from '../facts/judge-peer-facts.js';
import { factsOf } from './package-fold.js';
import { PackageEntity } from './package.entity.js';

const STATUSES: Readonly<Record<ProofVerdict, SignatureStatus>> = {
  verified: 'VERIFIED',
  'key unknown': 'KEY_UNKNOWN',
  forged: 'INVALID',
};

/** Looks up who signed what, and checks it with the keys that are known at this moment. */
@QueryHandler(PackageSignaturesQuery)
export class PackageSignaturesHandler implements IQueryHandler<PackageSignaturesQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly trust: FactTrust,
    private readonly keys: SignerKeys,
  ) {}

  async execute({ ids }: PackageSignaturesQuery): Promise<readonly (readonly FactSignatureView[])[]> {
    const query = this.dataSource.createQueryBuilder(PackageEntity, 'package').where('package.id = ANY(:ids)', { ids });
    const rows = new Map((await query.getMany()).map((row) => [row.id, row]));
    return ids.map((id) => this.signaturesOf(rows.get(id)));
  }

  private signaturesOf(row: PackageEntity | undefined): readonly FactSignatureView[] {
    if (!row) return [];
    const facts = factsOf(row);
    const registers = REGISTERS.filter((register) => register !== 'removal' || facts.removal !== null);
    return registers.map((register) => {
      const proof = proofOf(register, facts, row.proofs);
      return { ...(proof ? this.signed(proof) : this.unsigned(register, facts)), ...placeOf(register, facts) };
    });
  }

  private signed(proof: SignedFact): Omit<FactSignatureView, 'register' | 'at'> {
    const { statement, publicKey } = proof;
    const { serverId, serverName, actor } = statement;
    const status = STATUSES[this.trust.verdictOf(proof)];
    const server = this.referTo(serverId, serverName);
    const text = describeSignature({ status, serverName: server.name, publicKey });
    return { status, text, server, actor, publicKey, keyFingerprint: keyFingerprint(publicKey) };
  }

  private unsigned(register: Register, facts: PackageFacts): Omit<FactSignatureView, 'register' | 'at'> {
    const text = describeSignature({ status: 'UNSIGNED', serverName: null, publicKey: null });
    const { origin, uploadedBy } = facts;
    const stamp = register === 'stage' ? facts.stageStamp : register === 'removal' ? facts.removal : null;
    const server =
      register === 'publication'
        ? this.referTo(origin.serverId, origin.name)
        : stamp === null
          ? null
          : this.referTo(stampServer(stamp), stampServer(stamp));
    const actor = register === 'publication' ? uploadedBy : null;
    return { status: 'UNSIGNED', text, server, actor, publicKey: null, keyFingerprint: null };
  }

  /** The name under which the server is known here counts more than the name that it gives itself. */
  private referTo(id: string, name: string): { readonly id: string; readonly name: string } {
    return { id, name: this.keys.nameOf(id) || name };
  }
}

function placeOf(register: Register, facts: PackageFacts): Pick<FactSignatureView, 'register' | 'at'> {
  const stamps = { publication: facts.publication, stage: facts.stageStamp, removal: facts.removal, first: null };
  const stamp = stamps[register];
  return {
    register: NAME_OF_REGISTER[register],
    at: stamp ? new Date(stampMs(stamp)) : new Date(facts.firstPublishedAt),
  };
}
