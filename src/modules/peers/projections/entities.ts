import { PeerEntity } from './peers/peer.entity.js';

export const peerEntities = [PeerEntity];
