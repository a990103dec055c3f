import { Query } from '@nestjs/cqrs';
import type { ServerView } from '../contracts/server-view.js';

/** This server's settings. */
export class ServerQuery extends Query<ServerView> {}
