import { Field, InputType, ObjectType } from '@nestjs/graphql';
import type { Stage } from '../../../kernel/stage.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import type { PeerRights, RightsChange } from '../contracts/peer-rights.js';

const STAGE =
  'The last stage to which the peer may publish and promote packages. It cannot change, remove or publish again a package ' +
  'that is in a later stage on this server.';
const FILENAMES =
  'Patterns of the filenames that the peer may publish and change. `*` stands for any characters and `?` for one; capital ' +
  'and small letters differ. With an empty list they are all filenames.';
const TAKE_OVER =
  'Whether the peer may publish under the filename of a package that another server has published, and publish such a ' +
  'package again.';
const CHANGE_OTHERS = 'Whether the peer may promote, demote and remove packages that another server has published.';

@ObjectType('PeerRights', {
  description:
    'What a peer may publish and change on this server. It counts for what happened on the peer, whoever tells of it, and ' +
    'for what the peer tells of servers that are not registered here.',
})
export class PeerRightsType implements PeerRights {
  @Field(() => StageName, { description: STAGE })
  publishUpTo!: Stage;

  @Field(() => [String], { description: FILENAMES })
  filenames!: readonly string[];

  @Field(() => Boolean, { description: TAKE_OVER })
  mayTakeOver!: boolean;

  @Field(() => Boolean, { description: CHANGE_OTHERS })
  mayChangeOthers!: boolean;
}

@InputType({ description: 'A change of the rights of a peer. Fields that are left out stay as they are.' })
export class PeerRightsInput {
  @Field(() => StageName, { nullable: true, description: STAGE })
  publishUpTo?: Stage | null;

  @Field(() => [String], {
    nullable: true,
    description: `${FILENAMES} At most 100 patterns, each at most 255 bytes long in UTF-8 and without slashes.`,
  })
  filenames?: readonly string[] | null;

  @Field(() => Boolean, { nullable: true, description: TAKE_OVER })
  mayTakeOver?: boolean | null;

  @Field(() => Boolean, { nullable: true, description: CHANGE_OTHERS })
  mayChangeOthers?: boolean | null;
}

/**
 * Converts the input to the change that commands take. Null means the same as leaving it out.
 * @throws Refusal INVALID_REQUEST
 */
export function rightsChange(input: PeerRightsInput | null | undefined): RightsChange | null {
  if (!input) return null;
  const { publishUpTo, filenames, mayTakeOver, mayChangeOthers } = input;
  return {
    ...(publishUpTo && { publishUpTo }),
    ...(filenames && { filenames: filenames.map((pattern) => textArgument('rights.filenames', pattern)) }),
    ...(typeof mayTakeOver === 'boolean' && { mayTakeOver }),
    ...(typeof mayChangeOthers === 'boolean' && { mayChangeOthers }),
  };
}
