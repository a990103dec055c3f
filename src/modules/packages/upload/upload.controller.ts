import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Post, Put, Req, Res, type OnModuleInit } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { KeyedLimit } from '../../../platform/limits/rate-limit.js';
import { answerError } from '../../../platform/http/errors/exception.filter.js';
import { RawRoutes, stateRoute } from '../../../platform/http/raw-routes.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { UploadPackage, type UploadedPackage } from './upload-package.command.js';
import {
  bodySize,
  digestInQuery,
  expectedDigests,
  filenameInUrl,
  optionInQuery,
  requirePlainBody,
  stageInQuery,
  UPLOAD_PATH,
} from './upload-request.js';
import { KnownPackages, type ShownPackage } from './known-packages.js';
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
    private readonly known: KnownPackages,
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
    const expected = expectedDigests(request.headers, true);
    const options = { ...this.optionsOf(request), stage, expected };
    const filename = filenameInUrl(request.originalUrl);
    await this.known.requireNoneMatch(filename, request.headers['if-none-match']);
    await this.answerUpload(response, await this.commands.execute(new UploadPackage(filename, request, options)));
  }

  /** Says, without any bytes of a file, whether a package is there: any with this filename, or the one with this content. */
  @Needs('upload')
  @Get('api/packages/{*filename}')
  async findPackage(@Req() request: Request, @Res() response: ServerResponse): Promise<void> {
    const { originalUrl } = request;
    const found = await this.known.requirePackage(filenameInUrl(originalUrl), digestInQuery(originalUrl));
    this.answerPackage(response, 200, found);
  }

  private optionsOf(request: Request) {
    return {
      announcedSize: bodySize(request),
      allowsEmpty: optionInQuery(request.originalUrl, 'allowEmpty'),
      demotes: optionInQuery(request.originalUrl, 'demote'),
    };
  }

  @Needs('upload')
  @Post('api/packages')
  async postForm(@Req() request: Request, @Res() response: ServerResponse): Promise<void> {
    this.startLimit.take(currentContext().actor.id);
    requirePlainBody(request);
    const inQuery = stageInQuery(request.originalUrl);
    const expected = expectedDigests(request.headers, false);
    const more = this.optionsOf(request);
    const form = new UploadForm(request);
    try {
      const { filename, bytes, stageBefore } = await form.file;
      const stage = form.stage.then((named) => named ?? inQuery);
      // Avoids an unhandled rejection: the command awaits the stage only after the last byte.
      stage.catch(() => undefined);
      await this.known.requireNoneMatch(filename, request.headers['if-none-match']);
      const upload = new UploadPackage(filename, bytes, {
        ...more,
        stage,
        stageBefore: stageBefore ?? inQuery,
        expected,
      });
      await this.answerUpload(response, await this.commands.execute(upload));
    } finally {
      form.stopReading();
    }
  }

  /** Answers as soon as the package can be downloaded and listed: 201 when it is new, 200 when it was there before. */
  private async answerUpload(response: ServerResponse, uploaded: UploadedPackage): Promise<void> {
    const { receipt, created, ...shown } = uploaded;
    if (receipt) await this.readModels.reflect(receipt);
    this.answerPackage(response, created ? 201 : 200, shown);
  }

  private answerPackage(response: ServerResponse, status: number, shown: ShownPackage): void {
    const body = Buffer.from(JSON.stringify(shown));
    response.writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      Location: this.known.addressOf(shown),
    });
    response.end(body);
  }
}
