import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

/**
 * Something that does not go away by itself, so that a person has to do something. It is shown for as long as it is
 * there; nobody marks it as done.
 */
export interface Problem {
  /** A stable name of this kind of problem in capitals, such as `EVENTS_UNPROCESSABLE`. */
  readonly kind: string;
  /** What is wrong, in one sentence. */
  readonly what: string;
  /** The part of the server, or the object, that the problem is about. */
  readonly where: string;
  readonly since: Date;
  /** When it happened last; left out when it lasts all the time. */
  readonly latest?: Date;
  /** What a person has to do. */
  readonly advice: string;
  /** The number of things that are affected. */
  readonly count: number;
  /** Some of the affected things, for somebody who looks into it. */
  readonly examples: readonly string[];
}

/** A part of the program that knows about problems of one kind or several. */
export interface ProblemSource {
  /** The problems that there are now. It takes little time, since it is called whenever somebody looks. */
  findProblems(): Promise<readonly Problem[]>;
}

/** Marks a provider that implements `ProblemSource`. */
export const AsProblemSource = DiscoveryService.createDecorator();

/** Finds the problem sources of all modules. */
@Injectable()
export class ProblemSources {
  constructor(private readonly discovery: DiscoveryService) {}

  /** All problems, the oldest one first. @throws what a source throws */
  async findProblems(): Promise<readonly Problem[]> {
    const found = this.discovery.getProviders({ metadataKey: AsProblemSource.KEY });
    // Only classes that implement ProblemSource are marked with @AsProblemSource.
    const sources = found.map((wrapper) => wrapper.instance as ProblemSource);
    const problems = await Promise.all(sources.map((source) => source.findProblems()));
    return problems.flat().toSorted((a, b) => a.since.getTime() - b.since.getTime());
  }
}
