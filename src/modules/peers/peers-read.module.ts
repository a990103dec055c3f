import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { peerEntities } from './projections/entities.js';
import { PeersProjection } from './projections/peers/peers.projection.js';
import { PeerHandler, PeersHandler } from './queries/peers.handler.js';

/** What can be asked about peers. */
@Module({ imports: [TypeOrmModule.forFeature(peerEntities)], providers: [PeersProjection, PeersHandler, PeerHandler] })
export class PeersReadModule {}
