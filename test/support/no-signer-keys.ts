import { type KeyStatus, SignerKeys } from '../../src/platform/peer-calls/signer-keys.port.js';

/** Knows no key of any server, so every signature is one of a stranger. */
export class NoSignerKeys extends SignerKeys {
  statusOf(): KeyStatus {
    return 'server unknown';
  }

  nameOf(): null {
    return null;
  }

  signsSince(): null {
    return null;
  }

  introduce(): readonly [] {
    return [];
  }
}
