import { Principals } from '../../src/platform/access/access.port.js';

/** Nobody is ever signed in: the server acts by itself. */
export class NoPrincipals extends Principals {
  override authenticate(): Promise<null> {
    return Promise.resolve(null);
  }

  override authorityNow(): Promise<null> {
    return Promise.resolve(null);
  }

  override onChange(): () => void {
    return () => undefined;
  }
}
