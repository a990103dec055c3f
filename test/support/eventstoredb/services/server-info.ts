import { randomUUID } from 'node:crypto';
import type { sendUnaryData } from '@grpc/grpc-js';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { features, gossip, shared, type Features, type Gossip } from '../protocol/messages.js';

/** `MemberInfo.VNodeState`. */
const LEADER = 8;
const SERVED = ['Append', 'BatchAppend', 'Read'];

/** `ServerFeatures.GetSupportedMethods`: by this clients decide whether they append in batches. */
export function supportedMethods(version: string): Features.SupportedMethods {
  const service = StreamsService.read.path.split('/')[1] ?? '';
  const methods = SERVED.map((name) => {
    const method = new features.SupportedMethod();
    method.setServiceName(service);
    method.setMethodName(name.toLowerCase());
    return method;
  });
  return new features.SupportedMethods().setEventStoreServerVersion(version).setMethodsList(methods);
}

/** `Gossip.Read`, what `esdb+discover://` asks: a cluster of one, and that one leads. */
export function clusterOf(address: string, port: number): Gossip.ClusterInfo {
  const member = new gossip.MemberInfo();
  member.setInstanceId(new shared.UUID().setString(randomUUID()));
  member.setTimeStamp(String(BigInt(Date.now()) * 10_000n));
  member.setState(LEADER);
  member.setIsAlive(true);
  member.setHttpEndPoint(new gossip.EndPoint().setAddress(address).setPort(port));
  return new gossip.ClusterInfo().setMembersList([member]);
}

/** A call that needs nothing and is always answered, to anonymous users too. */
export const answerWith =
  <T>(message: () => T) =>
  (_call: unknown, answer: sendUnaryData<T>): void =>
    answer(null, message());
