import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AsProblemSource, type Problem, type ProblemSource } from '../problems/problem-source.js';
import { OdsHttpAdapter } from './ods-http-adapter.js';

const ADVICE =
  'Replace the files in ODST_TLS_CERT_FILE and ODST_TLS_KEY_FILE. They are read again by themselves. See docs/how-to/secure-a-server.md.';

/** Tells what is wrong with the TLS certificate of this server. */
@AsProblemSource()
@Injectable()
export class CertificateProblems implements ProblemSource {
  constructor(private readonly http: HttpAdapterHost) {}

  findProblems(): Promise<readonly Problem[]> {
    const { httpAdapter } = this.http;
    const found = httpAdapter instanceof OdsHttpAdapter ? httpAdapter.findCertificateProblems() : [];
    const problem = { kind: 'TLS_CERTIFICATE', where: 'TLS certificate', advice: ADVICE, count: 1, examples: [] };
    return Promise.resolve(found.map(({ what, since }) => ({ ...problem, what, since })));
  }
}
