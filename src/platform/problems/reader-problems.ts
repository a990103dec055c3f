import { Injectable } from '@nestjs/common';
import { FailingReaders } from '../failures/failing-readers.js';
import { ProjectionProgress } from '../failures/projection-progress.js';
import { type ReaderFailures, readerOf, UnprocessableEvents } from '../failures/unprocessable-events.js';
import { AsProblemSource, type Problem, type ProblemSource } from './problem-source.js';

const MAX_EXAMPLES = 10;

const UNPROCESSABLE_ADVICE =
  'Look at the reasons, update this program, and start it: it tries these events again. To try them again now, restart ' +
  'the server and run "npm run projections:rebuild". See docs/how-to/unprocessable-events.md.';
const ITEMS_ADVICE =
  'The peer tells what this server cannot use. Look at the reasons, and update the peer or this server. The items are ' +
  'tried again with the next comparison. See docs/how-to/unprocessable-events.md.';
const STANDING_ADVICE =
  'Lists do not show what happens, and changes are answered with UNAVAILABLE. Look at the log of the server for the ' +
  'reason: database, disk, or a program that does not fit its tables. It goes on by itself afterwards.';

const WORK_ADVICE =
  'It is tried again and again. Look at the reason and at the log of the server: most often a file, a disk or a database ' +
  'does not answer. It goes on by itself afterwards.';

const isOwnWork = (reader: string): boolean =>
  reader.startsWith(readerOf.task('').slice(0, -1)) || reader.startsWith(readerOf.verification(''));

const isFeedOfPeer = (reader: string): boolean => reader.startsWith(readerOf.feedOfPeer(''));

const toProblem = ({ reader, count, since, failures }: ReaderFailures): Problem => ({
  kind: isFeedOfPeer(reader) ? 'ITEMS_UNPROCESSABLE' : 'EVENTS_UNPROCESSABLE',
  what: `The ${reader} goes on without ${count === 1 ? 'one event that it' : `${count} events that it`} cannot process.`,
  where: reader,
  since,
  advice: isFeedOfPeer(reader) ? ITEMS_ADVICE : UNPROCESSABLE_ADVICE,
  count,
  examples: failures.map(({ type, eventId, stream, reason }) => `${type} ${eventId} in ${stream}: ${reason}`),
});

/** Tells of events that readers of the log cannot process, and of readers that stand still. */
@AsProblemSource()
@Injectable()
export class ReaderProblems implements ProblemSource {
  constructor(
    private readonly unprocessable: UnprocessableEvents,
    private readonly progress: ProjectionProgress,
    private readonly failing: FailingReaders,
  ) {}

  async findProblems(): Promise<readonly Problem[]> {
    const [failures, standing] = await Promise.all([
      this.unprocessable.summarise(MAX_EXAMPLES),
      this.progress.findStanding(),
    ]);
    const projections = new Set(standing.map(({ name }) => readerOf.projection(name)));
    const others = this.failing.list().filter(({ reader }) => !projections.has(reader));
    const stopped = [
      ...standing.map(({ name, since, reason }) => ({ reader: readerOf.projection(name), since, reason })),
      ...others,
    ];
    return [
      ...failures.map(toProblem),
      ...stopped.map(({ reader, since, reason }) => ({
        kind: isOwnWork(reader) ? 'WORK_FAILS' : 'READER_STANDS_STILL',
        what: isOwnWork(reader)
          ? `The ${reader} fails again and again.`
          : `The ${reader} does not follow the event log any more.`,
        where: reader,
        since,
        advice: isOwnWork(reader) ? WORK_ADVICE : STANDING_ADVICE,
        count: 1,
        examples: reason === null ? [] : [reason],
      })),
    ];
  }
}
