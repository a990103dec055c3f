import { Module } from '@nestjs/common';
import { AnnounceUnprocessable } from './announce-unprocessable.js';
import { ProblemsHandler } from './problems.query.js';
import { ProblemsResolver } from './problems.resolver.js';
import './problems.declarations.js';

/** Shows everything that needs a person, and tells the audit trail of unprocessable events. */
@Module({ providers: [ProblemsHandler, ProblemsResolver, AnnounceUnprocessable] })
export class ProblemsModule {}
