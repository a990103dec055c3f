import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { foldText } from '../../../kernel/text.js';
import { nearestNames } from '../../../platform/input/known-names.js';
import type { AuditFilter } from './audit-view.js';

/**
 * Checks the actor and the target of a filter. Without this, a misspelt name would select nothing, as if nothing had
 * happened. An id may be one of which there is no entry yet. @throws Refusal INVALID_REQUEST with the nearest names
 */
export class RequireKnownPartiesQuery extends Query<void> {
  constructor(readonly filter: Pick<AuditFilter, 'actor' | 'target'>) {
    super();
  }
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** Somebody who has done nothing yet has an entry in which they were created. */
const CREATIONS = ['AccountCreated', 'ApiTokenIssued', 'PeerRegistered'];
const MAX_SHOWN = 100;
const MAX_NAMES = 10_000;

const SELECT_NAMES = `
SELECT DISTINCT name FROM audit_actors
UNION SELECT DISTINCT target_label FROM audit_entries WHERE kind = ANY ($1) AND target_label IS NOT NULL LIMIT ${MAX_NAMES}`;

@QueryHandler(RequireKnownPartiesQuery)
export class RequireKnownPartiesHandler implements IQueryHandler<RequireKnownPartiesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filter: { actor, target } }: RequireKnownPartiesQuery): Promise<void> {
    if (typeof actor === 'string' && actor !== '' && !UUID.test(actor)) await this.requireActor(actor);
    if (typeof target === 'string' && target !== '' && !UUID.test(target)) await this.requireTarget(target);
  }

  private async requireActor(actor: string): Promise<void> {
    const folded = foldText(actor);
    const seen: unknown[] = await this.dataSource.query(
      'SELECT 1 FROM audit_actors WHERE name = $1 OR actor_id = $2 LIMIT 1',
      [folded, actor],
    );
    if (seen.length > 0) return;
    const rows: { name: string }[] = await this.dataSource.query(SELECT_NAMES, [CREATIONS]);
    const names = [...new Set(rows.map(({ name }) => foldText(name)))];
    if (names.includes(folded)) return;
    const near = nearestNames(folded, names);
    const hint = near.length === 0 ? '' : ` The nearest names are ${near.join(', ')}.`;
    throw new Refusal('INVALID_REQUEST', `\`actor\` names nobody of whom there is an entry: ${shown(actor)}.${hint}`, {
      argument: 'actor',
    });
  }

  private async requireTarget(target: string): Promise<void> {
    const seen: unknown[] = await this.dataSource.query('SELECT 1 FROM audit_entries WHERE target_id = $1 LIMIT 1', [
      target,
    ]);
    if (seen.length > 0) return;
    const message = `\`target\` is the id of a target, and no entry has the target ${shown(target)}. Use \`text\` to find a name.`;
    throw new Refusal('INVALID_REQUEST', message, { argument: 'target' });
  }
}

const shown = (text: string): string => JSON.stringify(text.slice(0, MAX_SHOWN));
