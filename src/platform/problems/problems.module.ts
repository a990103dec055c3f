import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { ReaderProblems } from './reader-problems.js';
import { ProblemSources } from './problem-source.js';

/** Provides the problems of all modules, and those of the platform itself. */
@Global()
@Module({ imports: [DiscoveryModule], providers: [ProblemSources, ReaderProblems], exports: [ProblemSources] })
export class ProblemSourcesModule {}
