import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Stage } from '../../../kernel/stage.js';
import { canonicalJson } from '../../../kernel/text.js';

/** What every statement says: which package it is about, and who acted on which server. */
type AboutPackage = {
  readonly packageId: string;
  readonly filename: string;
  /** SHA-256 of the whole file, in lower-case hex. */
  readonly sha256: string;
  /** Id and name of the server where it happened. This server signs the statement. */
  readonly serverId: string;
  readonly serverName: string;
  /** Name of the person or token that acted there. */
  readonly actor: string;
};

/** A package was published. */
export type PublicationStatement = AboutPackage & {
  readonly kind: 'publication';
  readonly size: number;
  readonly sha1: string;
  readonly chunkSize: number;
  readonly chunkCount: number;
  readonly publication: Stamp;
  /** The stage that the publication gave to the package. Null when another statement tells the stage. */
  readonly stage: { readonly stage: Stage; readonly stamp: Stamp } | null;
  /** The earliest publication that the server knew: ISO 8601 in whole seconds. */
  readonly firstPublishedAt: string;
};

/** A package was promoted or demoted. */
export type StageStatement = AboutPackage & {
  readonly kind: 'stage';
  readonly stage: Stage;
  readonly stamp: Stamp;
};

/** A package was removed. */
export type RemovalStatement = AboutPackage & {
  readonly kind: 'removal';
  readonly stamp: Stamp;
};

export type FactStatement = PublicationStatement | StageStatement | RemovalStatement;

/**
 * A statement with the signature of the server where it happened. It is passed on unchanged through any number of
 * servers, so every receiver can check who said it.
 */
export type SignedFact = {
  readonly statement: FactStatement;
  /** Raw 32-byte Ed25519 public key of the signing server, base64url. */
  readonly publicKey: string;
  /** Ed25519 signature (RFC 8032) of `factText(statement)`, base64url. */
  readonly signature: string;
};

/** The bytes that are signed: a line that names the format, and the statement as canonical JSON (RFC 8785). */
export const factText = (statement: FactStatement): Buffer =>
  // A statement consists of texts, numbers and null, which is what Json describes.
  Buffer.from(`odst-package-fact-v1\n${canonicalJson({ ...statement })}`);

/** The registers of a package, each with its own author. `first` is the time of the first publication. */
export const REGISTERS = ['publication', 'first', 'stage', 'removal'] as const;
export type Register = (typeof REGISTERS)[number];

/** The stamp of a statement: the time at which it happened, and the server. */
export const stampOf = (statement: FactStatement): Stamp =>
  statement.kind === 'publication' ? statement.publication : statement.stamp;
