import { Global, Module } from '@nestjs/common';
import { KeyRing } from './server-keys/key-ring.js';
import { ServerSecrets } from './server-secrets.js';

@Global()
@Module({ providers: [ServerSecrets, KeyRing], exports: [ServerSecrets, KeyRing] })
export class SecretsModule {}
