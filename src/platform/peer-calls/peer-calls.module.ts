import { Global, Module } from '@nestjs/common';
import { RequestSigner } from '../../ports/request-signer.port.js';
import { ExpectedPeers } from './expected-peers.js';
import { NonceStore } from './nonce-store.js';
import { PeerArrivals } from './peer-arrivals.js';
import { PeerCallCheck } from './peer-call-check.js';
import { PeerCallGate } from './peer-call.guard.js';
import { PeerCallLimits } from './peer-call-limits.js';
import { PeerRequestSigner } from './peer-request-signer.js';

/**
 * Signs calls to other servers and verifies calls of other servers. Other modules must provide `ServerIdentity`,
 * `PeerDirectory`, `KnownKeys` and `PeerCallAudit`.
 */
@Global()
@Module({
  providers: [
    ExpectedPeers,
    PeerArrivals,
    NonceStore,
    PeerCallCheck,
    PeerCallLimits,
    PeerCallGate,
    { provide: RequestSigner, useClass: PeerRequestSigner },
  ],
  exports: [ExpectedPeers, PeerArrivals, PeerCallGate, PeerCallLimits, NonceStore, RequestSigner],
})
export class PeerCallsModule {}
