import { Module } from '@nestjs/common';
import { Downloads } from './serving/downloads.js';
import { FileCatalogue } from './serving/file-catalogue.js';

@Module({ providers: [Downloads, FileCatalogue] })
export class DownloadsModule {}
