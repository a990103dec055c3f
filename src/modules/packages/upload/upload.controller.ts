import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Post, Put, Req, Res, type OnModuleInit } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { KeyedLimit } from '../../../platform/limits/rate-limit.js';
import { answerError } from '../../../platform/http/errors/exception.filter.js';
import { RawRoutes, stateRoute } from '../../../platform/http/raw-routes.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { UploadPackage, type UploadedPackage } from './upload-package.command.js';
import {
  allowsEmptyFile,
  bodySize,
  expectedDigests,
  filenameInUrl,
  requirePlainBody,
  stageInQuery,
  UPLOAD_PATH,
} from './upload-request.js';
import { UploadForm } from './upload-form.js';

type Request = IncomingMessage & { readonly originalUrl: string };

/** This route only refuses filenames that no package can have. All other requests go on to the guard. */
const UNREADABLE_FILENAME = stateRoute({
  call: 'PUT /api/packages/{a filename that is no UTF-8}',
  need: 'public',
});

/** Uploads that one account may begin: far more than one disk can store. */
const START_RATE = { burst: 5_000, perSecond: 100 };

/** Receives uploads. Whatever can be refused without the bytes of the file is refused before they are read. */
@Controller()
export class UploadController implements OnModuleInit {
  private readonly startLimit = new KeyedLimit('Too many uploads are started', START_RATE);

  constructor(
    private readonly commands: CommandBus,
    private readonly readModels: ReadModels,
    private readonly routes: RawRoutes,
  ) {}

  /** Express would answer a filename that it cannot decode in its own format, so this route comes first. */
  onModuleInit(): void {
    this.routes.add(UNREADABLE_FILENAME, (request, response) => {
      const { method, url = '' } = request;
      if (method !== 'PUT' || !url.startsWith(`${UPLOAD_PATH}/`)) return false;
      try {
        filenameInUrl(url);
        return false;
      } catch (error) {
        answerError(error, request, response);
        return true;
      }
    });
  }

  @Needs('upload')
  @Put(['api/packages', 'api/packages/{*filename}'])
  async putFile(@Req() request: Request, @Res() response: ServerResponse): Promise<void> {
    this.startLimit.take(currentContext().actor.id);
    const stage = stageInQuery(request.originalUrl);
    requirePlainBody(request);
    const options = {
      stage,
      expected: expectedDigests(request.headers, true),
      announcedSize: bodySize(request),
      allowsEmpty: allowsEmptyFile(request.originalUrl),
    };
    const upload = new UploadPackage(filenameInUrl(request.originalUrl), request, options);
    await this.answerCreated(response, await this.commands.execute(upload));
  }

  @Needs('upload')
  @Post('api/packages')
  async postForm(@Req() request: Request, @Res() response: ServerResponse): Promise<void> {
    this.startLimit.take(currentContext().actor.id);
    requirePlainBody(request);
    const inQuery = stageInQuery(request.originalUrl);
    const expected = expectedDigests(request.headers, false);
    const allowsEmpty = allowsEmptyFile(request.originalUrl);
    const form = new UploadForm(request);
    try {
      const { filename, bytes } = await form.file;
      const stage = form.stage.then((named) => named ?? inQuery);
      // Avoids an unhandled rejection: the command awaits the stage only after the last byte.
      stage.catch(() => undefined);
      const options = { stage, expected, announcedSize: bodySize(request), allowsEmpty };
      await this.answerCreated(response, await this.commands.execute(new UploadPackage(filename, bytes, options)));
    } finally {
      form.stopReading();
    }
  }

  /** Answers 201 as soon as the package can be downloaded and listed. */
  private async answerCreated(response: ServerResponse, { receipt, ...uploaded }: UploadedPackage): Promise<void> {
    await this.readModels.reflect(receipt);
    const body = Buffer.from(JSON.stringify(uploaded));
    response.writeHead(201, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      Location: `/Packages/${encodeURIComponent(uploaded.filename)}`,
    });
    response.end(body);
  }
}
