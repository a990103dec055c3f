import { QueryBus } from '@nestjs/cqrs';
import { Args, Parent, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { describedTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import { requireKnownNames } from '../../../platform/input/known-names.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { optionalText, textArgument } from '../../../platform/graphql/arguments.js';
import { ChangeStream } from '../../../platform/graphql/change-stream.js';
import { connectionCost } from '../../../platform/graphql/cost-limit.js';
import { PageArgs } from '../../../platform/graphql/common.types.js';
import { ReadModelChanges } from '../../../platform/eventsourcing/read-model-changes.js';
import { SignerKeys } from '../../../platform/peer-calls/signer-keys.port.js';
import { FactSignature } from '../../packages/api/fact-signature.type.js';
import { AuditEntriesSinceQuery, AuditTrailQuery } from './audit-trail.query.js';
import type { AuditFilter as Filter } from './audit-view.js';
import { AuditEntry, AuditEntryConnection, AuditFilter } from './audit.types.js';
import { RequireKnownPartiesQuery } from './known-parties.query.js';
import { signaturesOf } from './entry-signatures.js';

/** Maximum number of entries that a subscription reads at once. */
const BATCH_SIZE = 100;
const MAX_KINDS = 100;

function checkFilter(filter: AuditFilter | null | undefined): Filter {
  const { kinds = null, since = null, until = null } = filter ?? {};
  if (kinds && kinds.length > MAX_KINDS)
    throw new Refusal('INVALID_REQUEST', `At most ${MAX_KINDS} \`kinds\` at a time.`);
  const named = kinds?.map((kind) => textArgument('kinds', kind)) ?? null;
  requireKnownNames('kinds', named ?? [], describedTypes());
  return {
    kinds: named,
    since,
    until,
    actor: optionalText('actor', filter?.actor),
    target: optionalText('target', filter?.target),
    text: optionalText('text', filter?.text),
  };
}

@Resolver(() => AuditEntry)
export class AuditResolver {
  constructor(
    private readonly queries: QueryBus,
    private readonly changes: ReadModelChanges,
    private readonly keys: SignerKeys,
  ) {}

  @Needs('audit')
  @ResolveField(() => [FactSignature], {
    description:
      'Who signed the change of a package: one signature as a rule. An unsigned change of a package has one of status ' +
      '`UNSIGNED`, whose text says which peer told it. Empty for entries about anything else.',
  })
  signatures(@Parent() entry: AuditEntry): readonly FactSignature[] {
    return signaturesOf(entry, this.keys);
  }

  @Needs('audit')
  @Query(() => AuditEntryConnection, {
    description:
      'Entries of the audit trail, newest first. A kind, or a name of an actor, that does not exist is refused. Refusals: ' +
      'INVALID_REQUEST, INVALID_CURSOR.',
    complexity: connectionCost,
  })
  async auditTrail(
    @Args() { first, after }: PageArgs,
    @Args('filter', { type: () => AuditFilter, nullable: true }) filter?: AuditFilter | null,
  ): Promise<AuditEntryConnection> {
    const wanted = await this.requireKnown(checkFilter(filter));
    return this.queries.execute(new AuditTrailQuery(wanted, first, after ?? null));
  }

  @Needs('audit')
  @Subscription(() => AuditEntry, {
    description: 'Entries that are recorded from now on, in order.',
    resolve: (entry: AuditEntry) => entry,
  })
  async auditRecorded(
    @Args('filter', { type: () => AuditFilter, nullable: true }) filter?: AuditFilter | null,
  ): Promise<AsyncIterator<AuditEntry>> {
    const wanted = await this.requireKnown(checkFilter(filter));
    let last = await this.readNewestSeq();
    const load = async (keys: readonly string[] | null): Promise<readonly AuditEntry[]> => {
      const entries = await this.queries.execute(new AuditEntriesSinceQuery(wanted, last, BATCH_SIZE));
      if (entries.length === BATCH_SIZE) stream.loadAgain();
      else last = Math.max(last, ...(keys ?? []).map(Number));
      last = Math.max(last, entries.at(-1)?.seq ?? 0);
      return entries;
    };
    // Reads at once, so that entries that were recorded during the look-up of the newest entry are not missed.
    const stream = new ChangeStream(this.changes, 'audit', load, { atOnce: true });
    return stream;
  }

  private async requireKnown(filter: Filter): Promise<Filter> {
    await this.queries.execute(new RequireKnownPartiesQuery(filter));
    return filter;
  }

  private async readNewestSeq(): Promise<number> {
    const [entry] = await this.queries.execute(new AuditEntriesSinceQuery({}, null, 1));
    return entry?.seq ?? 0;
  }
}
