import { ArgsType, Field, Int, ObjectType, registerEnumType } from '@nestjs/graphql';

/** `PROTECTION_MODES` as GraphQL names them. */
export enum DownloadProtectionMode {
  NONE = 'NONE',
  BASIC = 'BASIC',
  NETWORK = 'NETWORK',
  SIGNED = 'SIGNED',
}

registerEnumType(DownloadProtectionMode, {
  name: 'DownloadProtectionMode',
  description: 'Who may download packages from this server.',
  valuesMap: {
    NONE: { description: 'Everybody who reaches the server.' },
    BASIC: { description: 'Who knows the name and password of one read-only account (HTTP Basic, RFC 7617).' },
    NETWORK: { description: 'Who calls from certain networks.' },
    SIGNED: { description: 'Who has an address that `createDownloadUrl` made. Those are valid in every mode.' },
  },
});

@ObjectType({
  description: 'Who may download packages from this server. Other servers fetch by their own, signed calls.',
})
export class DownloadProtection {
  @Field(() => DownloadProtectionMode)
  mode!: DownloadProtectionMode;

  @Field(() => String, { nullable: true, description: 'With BASIC: name of the read-only account.' })
  username!: string | null;

  @Field(() => [String], { description: 'With NETWORK: addresses and CIDR ranges.' })
  networks!: readonly string[];
}

@ObjectType()
export class DownloadProtectionSet {
  @Field(() => DownloadProtection)
  protection!: DownloadProtection;

  @Field(() => String, {
    nullable: true,
    description: 'With BASIC, when none was given: a password that was made. Shown once.',
  })
  generatedPassword!: string | null;
}

@ObjectType({ description: 'An address under which everybody who has it can download one package for a while.' })
export class DownloadUrl {
  @Field(() => String)
  url!: string;

  @Field(() => Date)
  expiresAt!: Date;
}

@ArgsType()
export class DownloadProtectionArgs {
  @Field(() => DownloadProtectionMode)
  mode!: DownloadProtectionMode;

  @Field(() => String, { nullable: true, description: 'With BASIC: 1 to 100 characters, without a colon.' })
  username?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'With BASIC: 12 to 200 characters. Left out: the one that this username has, or one is made.',
  })
  password?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'With NETWORK: up to 1,000 such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.',
  })
  networks?: string[] | null;
}

@ArgsType()
export class DownloadUrlArgs {
  @Field(() => String)
  packageId!: string;

  @Field(() => Int, { defaultValue: 3600, description: '1 s to 7 days.' })
  expiresInSeconds!: number;
}
