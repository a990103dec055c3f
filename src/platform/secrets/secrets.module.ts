import { Global, Module } from '@nestjs/common';
import { PasswordHashing } from './password-hashing.js';
import { KeyRing } from './key-ring.js';
import { ServerSecrets } from './server-secrets.js';

/** Provides the encrypted secrets, the private keys and the hashing of passwords to all modules. */
@Global()
@Module({ providers: [ServerSecrets, KeyRing, PasswordHashing], exports: [ServerSecrets, KeyRing, PasswordHashing] })
export class SecretsModule {}
