import { status, type Metadata, type StatusObject } from '@grpc/grpc-js';
import { rejection } from '../protocol/rejections.js';

export interface User {
  readonly name: string;
  readonly password: string;
}

/** Who may come in: everybody, or one user with Basic credentials. */
export class Access {
  constructor(private readonly user: User | undefined) {}

  /**
   * Why a call is refused, or null. Wrong credentials are UNAUTHENTICATED; none at all make an anonymous user, who may
   * not touch streams.
   */
  refusal(metadata: Metadata): Partial<StatusObject> | null {
    if (!this.user) return null;
    const [given] = metadata.get('authorization');
    if (given === undefined)
      return rejection(status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });
    const wanted = `Basic ${Buffer.from(`${this.user.name}:${this.user.password}`).toString('base64')}`;
    return given === wanted ? null : rejection(status.UNAUTHENTICATED, 'Unauthenticated');
  }
}
