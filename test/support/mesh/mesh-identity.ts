import { sign } from 'node:crypto';
import type { Stage } from '../../../src/kernel/stage.js';
import { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { serverEvents } from '../../../src/modules/server/contracts/server.events.js';
import type { LogFile } from './mesh-log.js';
import { keyOf, publicKeyOf } from './mesh-keys.js';

/** Knows the stage as of the last look at the log, as a live view does. */
export class MeshIdentity extends ServerIdentity {
  readonly url = 'http://mesh';
  stage: Stage = 'Prod';

  constructor(
    readonly serverId: string,
    private readonly log: LogFile,
  ) {
    super();
    this.look();
  }

  readonly reachable = true;

  get name(): string {
    return this.serverId;
  }

  get publicKey(): string {
    return publicKeyOf(this.serverId);
  }

  look(): void {
    const last = this.log
      .of('server')
      .flatMap((record) => serverEvents.read(record) ?? [])
      .findLast(({ type }) => type !== 'ServerKeyRotated');
    if (last && last.type !== 'ServerKeyRotated') this.stage = last.data.stage;
  }

  sign(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, keyOf(this.serverId));
  }
}
