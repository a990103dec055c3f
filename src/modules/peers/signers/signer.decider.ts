import type { Aggregate } from '../../../kernel/decider.js';
import { type Stamp, stampMs } from '../../../kernel/hybrid-clock.js';
import type { KeySuccession } from '../../../kernel/introduction.js';
import { MIN_CORRECTION_MS } from '../contracts/signers.js';
import { type SignerEvent, signerEvents } from '../contracts/signer.events.js';

interface SignerState {
  /** Keys that peers have introduced. */
  readonly keys: readonly string[];
  /** Keys that were refused. */
  readonly refused: readonly string[];
  readonly since: Stamp | null;
}

/** An introduction whose signature was checked. */
interface CheckedIntroduction {
  readonly serverId: string;
  readonly name: string;
  readonly keys: readonly string[];
  /** Of the successions, those whose proof is valid. */
  readonly successions: readonly KeySuccession[];
  readonly introducedBy: { readonly serverId: string; readonly name: string };
  /** A key that is known for the introducing server has signed the introduction. */
  readonly trusted: boolean;
  /** Keys of the server that are known otherwise, because it is or was a peer, or this server itself. */
  readonly otherKeys: readonly string[];
}

export type SignerCommand =
  | { readonly type: 'introduce'; readonly as: CheckedIntroduction }
  | { readonly type: 'noteSigning'; readonly serverId: string; readonly stamp: Stamp };

/** A liar can invent any number of keys. Later ones are refused without a record. */
const MAX_REFUSED_KEYS = 20;

function decideIntroduction(as: CheckedIntroduction, state: SignerState): readonly SignerEvent[] {
  const { serverId, name, introducedBy, otherKeys } = as;
  const known = new Set([...state.keys, ...otherKeys]);
  const fresh = as.keys.filter((key) => !known.has(key));
  if (fresh.length === 0) return [];
  const accepted = known.size === 0 || introducedBy.serverId === serverId ? trustedKeys(as, fresh) : new Set<string>();
  for (const key of provenKeys(as.successions, new Set([...known, ...accepted]))) accepted.add(key);
  const keys = fresh.filter((key) => accepted.has(key));
  const successions = as.successions.filter(({ publicKey }) => keys.includes(publicKey));
  const current = as.keys.at(-1) ?? null;
  const learnt: SignerEvent[] =
    keys.length > 0
      ? [{ type: 'SignerIntroduced', data: { serverId, name, keys, successions, current, introducedBy } }]
      : [];
  return [
    ...learnt,
    ...refuseKeys(
      as,
      fresh.filter((key) => !accepted.has(key)),
      state,
    ),
  ];
}

const trustedKeys = ({ trusted }: CheckedIntroduction, keys: readonly string[]): Set<string> =>
  new Set(trusted ? keys : []);

/** The keys to which a chain of proofs leads from a known key. */
function provenKeys(successions: readonly KeySuccession[], known: ReadonlySet<string>): ReadonlySet<string> {
  const reached = new Set(known);
  for (let before = -1; before < reached.size;) {
    before = reached.size;
    for (const { previousPublicKey, publicKey } of successions)
      if (reached.has(previousPublicKey)) reached.add(publicKey);
  }
  return reached;
}

/** Only what a peer has signed is recorded, since everybody else could invent it. */
function refuseKeys(
  { serverId, name, introducedBy, trusted }: CheckedIntroduction,
  keys: readonly string[],
  { refused }: SignerState,
): readonly SignerEvent[] {
  if (!trusted) return [];
  const fresh = keys.filter((key) => !refused.includes(key)).slice(0, MAX_REFUSED_KEYS - refused.length);
  return fresh.map((publicKey) => ({
    type: 'SignerKeyRefused',
    data: { serverId, name, publicKey, introducedBy },
  }));
}

function decideSigning(serverId: string, stamp: Stamp, { since }: SignerState): readonly SignerEvent[] {
  if (since !== null && stampMs(stamp) > stampMs(since) - MIN_CORRECTION_MS) return [];
  return [{ type: 'SigningBegan', data: { serverId, since: stamp } }];
}

/** Another server that signs facts. Streams `signer-<serverId>`. */
export const signer: Aggregate<SignerState, SignerCommand, SignerEvent> = {
  category: 'signer',
  events: signerEvents,
  initial: { keys: [], refused: [], since: null },

  decide: (command, state) =>
    command.type === 'introduce'
      ? decideIntroduction(command.as, state)
      : decideSigning(command.serverId, command.stamp, state),

  evolve(state, event) {
    switch (event.type) {
      case 'SignerIntroduced':
        return { ...state, keys: [...state.keys, ...event.data.keys] };
      case 'SignerKeyRefused':
        return { ...state, refused: [...state.refused, event.data.publicKey] };
      case 'SigningBegan':
        return { ...state, since: event.data.since };
    }
  },
};
