// What this module declares: its permission, and the sentences that describe its events.
import { declarePermissions } from '../../kernel/access.js';
import { declareEvents, type EventDescription } from '../../platform/eventsourcing/event-descriptions.js';
import { type ProblemEvent, problemEvents } from './contracts/problem.events.js';

declarePermissions({
  problems: { meaning: 'what needs a person', roles: ['auditor'], isTokenScope: true },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    problems: true;
  }
}

function describeProblemEvent({ type, data }: ProblemEvent, targetId: string): EventDescription {
  const { reader, eventId, eventType, stream } = data;
  const event = `the event ${eventType} ${eventId} in ${stream}`;
  const summary =
    type === 'EventUnprocessable'
      ? `The ${reader} cannot process ${event} and goes on without it: ${data.reason}`
      : `The ${reader} has processed ${event}, which it could not process before`;
  return { targetType: 'SERVER', targetId, targetLabel: null, summary, details: { ...data } };
}

declareEvents({ family: problemEvents, targets: ['SERVER'], describe: describeProblemEvent });
