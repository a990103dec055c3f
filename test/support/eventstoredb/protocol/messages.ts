// The package's own message classes. They are CommonJS that only has a default export for Node; their types come apart.
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';

export type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
export type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
export type * as Statuses from '@eventstore/db-client/generated/status_pb.js';
export type * as Gossip from '@eventstore/db-client/generated/gossip_pb.js';
export type * as Features from '@eventstore/db-client/generated/serverfeatures_pb.js';
export { features, gossip, shared, statuses, streams };
