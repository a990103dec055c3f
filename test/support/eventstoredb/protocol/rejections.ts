import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { MAX_APPEND_BYTES } from './limits.js';

/** A failed call: gRPC status, and trailers that name the exception for the client (`RpcExceptions` in the server). */
export function rejection(
  code: status,
  details: string,
  trailers: Readonly<Record<string, string>> = {},
): Partial<StatusObject> {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return { code, details, metadata };
}

export const tooLarge = (): Partial<StatusObject> =>
  rejection(status.INVALID_ARGUMENT, `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(MAX_APPEND_BYTES),
  });

export const missingProperty = (name: string): Partial<StatusObject> =>
  rejection(status.INVALID_ARGUMENT, `Required Metadata Property '${name}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });

export const invalidPosition = (): Partial<StatusObject> =>
  rejection(status.INVALID_ARGUMENT, 'Trying to read from an invalid position.');

/** What ASP.NET answers when a handler throws. */
export const thrown = (error: unknown): Partial<StatusObject> =>
  rejection(
    status.UNKNOWN,
    `Exception was thrown by handler. ${error instanceof Error ? error.message : String(error)}`,
  );
