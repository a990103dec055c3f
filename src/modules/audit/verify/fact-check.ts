import { stampMs } from '../../../kernel/hybrid-clock.js';
import { keyFingerprint, verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { proofOf } from '../../packages/contracts/fact-proofs.js';
import { factText, type SignedFact, stampOf } from '../../packages/contracts/signed-facts.js';
import type { BoundEvent } from '../chain/chain-entry.js';
import { findDisagreement } from './fact-agreement.js';
import { FactEvent, Recorder, SignedFactShape, toldProofs } from './fact-shapes.js';
import type { Problem } from './problem.js';
import { SignerKeyHistory } from './signer-key-history.js';

/** An event at its place, without its links. */
type PlacedEvent = Pick<BoundEvent, 'number' | 'id' | 'type' | 'data' | 'metadata' | 'recordedAt'>;

/** How many changes of packages are signed, and how. */
export interface FactCounts {
  /** Signed by the server where it happened, with a key that the log names. */
  readonly verified: number;
  /** Signed, by a server of which the log names no such key. */
  readonly keyUnknown: number;
  /** Recorded without a signature, and not signed later. */
  readonly unsigned: number;
  /** Each is a problem. */
  readonly invalid: number;
}

/** Signed facts whose key was not known when they were recorded. */
interface Waiting {
  readonly serverId: string;
  readonly publicKey: string;
  count: number;
}

/**
 * Verifies each signed fact of a log: its signature, that it says what its event says, and its key against those that the
 * log names. It needs nothing else, and does not depend on the chain.
 */
export class FactCheck {
  /** Other events need not be shown to the check. */
  static readonly eventTypes: readonly string[] = [
    ...SignerKeyHistory.eventTypes,
    'PackagePublished',
    'PackageStageChanged',
    'PackageRemoved',
    'PackageFactsSigned',
  ];

  private readonly invalid: Problem[] = [];
  private readonly unsigned = new Set<string>();
  private readonly waiting = new Map<string, Waiting>();
  private verified = 0;

  /** @param isWhole says whether all events that name keys are shown to the check; otherwise a key can be missing */
  constructor(
    readonly keys: SignerKeyHistory,
    private readonly isWhole: boolean,
  ) {}

  /** What is not valid, in the order of the entries. */
  get problems(): readonly Problem[] {
    return this.invalid;
  }

  /** Keys that the log names later than they are used count as well. */
  get counts(): FactCounts {
    let [verified, keyUnknown] = [this.verified, 0];
    for (const { serverId, publicKey, count } of this.waiting.values()) {
      if (this.keys.has(serverId, publicKey)) verified += count;
      else keyUnknown += count;
    }
    return { verified, keyUnknown, unsigned: this.unsigned.size, invalid: this.invalid.length };
  }

  checkEvent(event: PlacedEvent): void {
    this.keys.noteEvent(event);
    if (!FactCheck.eventTypes.includes(event.type) || SignerKeyHistory.eventTypes.includes(event.type)) return;
    const parsed = FactEvent.safeParse({ type: event.type, data: event.data });
    const recorder = Recorder.safeParse(event.metadata);
    if (!parsed.success || !recorder.success) {
      if (bringsProofs(event.data)) this.addProblem(event, "can't be read, although it brings signed statements");
      return;
    }
    const proofs: SignedFact[] = [];
    for (const told of toldProofs(parsed.data)) {
      const proof = this.checkProof(event, parsed.data, told, recorder.data);
      if (proof) proofs.push(proof);
    }
    this.noteUnsigned(parsed.data, proofs);
  }

  /** Checks one statement of an event. Returns it when its signature is valid and it agrees with the event. */
  private checkProof(placed: PlacedEvent, event: FactEvent, told: unknown, recorder: Recorder): SignedFact | null {
    const parsed = SignedFactShape.safeParse(told);
    if (!parsed.success) return this.addProblem(placed, "brings a signed statement that can't be read");
    const proof = parsed.data;
    const { statement, publicKey, signature } = proof;
    const name = `brings a statement of ${statement.serverName} that`;
    if (!verifyEd25519(publicKey, factText(statement), Buffer.from(signature, 'base64url')))
      return this.addProblem(placed, `${name} does not fit its signature: one of them was changed`);
    const disagreement = findDisagreement(event, proof, recorder);
    if (disagreement !== null) return this.addProblem(placed, `${name} ${disagreement} than the event says`);
    return this.checkKey(placed, proof);
  }

  private checkKey(placed: PlacedEvent, proof: SignedFact): SignedFact | null {
    const { statement, publicKey } = proof;
    const { serverId, serverName } = statement;
    if (this.keys.hadAt(serverId, publicKey, stampMs(stampOf(statement)))) this.verified += 1;
    else if (this.isWhole && this.keys.knows(serverId)) {
      const key = keyFingerprint(publicKey);
      const what = `is signed with the key ${key}, which ${serverName} (${serverId}) did not have by then`;
      return this.addProblem(placed, what);
    } else {
      const waiting = this.waiting.get(`${serverId} ${publicKey}`) ?? { serverId, publicKey, count: 0 };
      waiting.count += 1;
      this.waiting.set(`${serverId} ${publicKey}`, waiting);
    }
    return proof;
  }

  /** Each change is known by its stamp, since several events can tell the same change. */
  private noteUnsigned(event: FactEvent, proofs: readonly SignedFact[]): void {
    const { type, data } = event;
    const nameOf = (stamp: string): string => `${data.packageId} ${stamp}`;
    const isBroken = toldProofs(event).length > proofs.length;
    if (type === 'PackagePublished') {
      const isSigned = proofOf('publication', { ...data, removal: null }, proofs) !== null;
      if (!isSigned && !isBroken) this.unsigned.add(nameOf(data.publication));
    } else if (type !== 'PackageFactsSigned' && proofs.length === 0 && !isBroken) {
      this.unsigned.add(nameOf(data.stamp));
    }
    for (const { statement } of proofs) {
      this.unsigned.delete(nameOf(stampOf(statement)));
      if (statement.kind === 'publication' && statement.stage) this.unsigned.delete(nameOf(statement.stage.stamp));
    }
  }

  private addProblem({ number, id: eventId, type }: PlacedEvent, what: string): null {
    const text = `Entry ${number}, event ${eventId} (${type}), ${what}.`;
    this.invalid.push({ wrong: 'fact', number, upTo: number, eventId, what: text });
    return null;
  }
}

/** Whether the data of an event has signed statements, whatever else is wrong with it. */
function bringsProofs(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false;
  const [proof, proofs]: unknown[] = [Reflect.get(data, 'proof'), Reflect.get(data, 'proofs')];
  return (proof !== undefined && proof !== null) || (Array.isArray(proofs) && proofs.length > 0);
}
