import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type Problem, ProblemSources } from '../../platform/problems/problem-source.js';

/** Everything that needs a person, the oldest problem first. */
export class ProblemsQuery extends Query<readonly Problem[]> {}

@QueryHandler(ProblemsQuery)
export class ProblemsHandler implements IQueryHandler<ProblemsQuery> {
  constructor(private readonly sources: ProblemSources) {}

  execute(): Promise<readonly Problem[]> {
    return this.sources.findProblems();
  }
}
