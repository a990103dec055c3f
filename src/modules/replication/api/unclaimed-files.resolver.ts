import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, Field, ID, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { DeleteUnclaimedFiles, UnclaimedFilesQuery } from '../integrity/unclaimed-files.command.js';

const MAX_LISTED = 1_000;

@ObjectType({ description: 'A file on the disk of this server that belongs to no package that it knows.' })
class UnclaimedFile {
  @Field(() => String, { description: 'Names the file for `deleteUnclaimedFiles`.' })
  name!: string;

  @Field(() => ID, { nullable: true, description: 'The id of the package in the name of the file.' })
  packageId!: string | null;

  @Field(() => ByteCount)
  size!: number;

  @Field(() => Date, { description: 'The day on which a start of the server moved it aside.' })
  since!: Date;

  @Field(() => Date, { description: 'After this time it is deleted, if it was announced in the log before.' })
  deletedAfter!: Date;
}

@ObjectType({ description: 'The files that belong to no package that this server knows.' })
class UnclaimedFiles {
  @Field(() => Int)
  count!: number;

  @Field(() => ByteCount, { description: 'Size of all of them.' })
  size!: number;

  @Field(() => [UnclaimedFile], { description: 'The earliest 1000 of them.' })
  files!: readonly UnclaimedFile[];
}

@ObjectType({ description: 'The unclaimed files that were deleted.' })
class DeletedFiles {
  @Field(() => Int)
  count!: number;

  @Field(() => ByteCount)
  size!: number;
}

@Resolver()
export class UnclaimedFilesResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Needs('server')
  @Query(() => UnclaimedFiles, {
    description:
      'Files on the disk that belong to no package that this server knows, such as those of packages that are missing in ' +
      'an older database. A file comes back by itself when its package is known again.',
  })
  async unclaimedFiles(): Promise<UnclaimedFiles> {
    const files = await this.queries.execute(new UnclaimedFilesQuery());
    const size = files.reduce((sum, file) => sum + file.size, 0);
    return { count: files.length, size, files: files.slice(0, MAX_LISTED) };
  }

  @Needs('server')
  @Mutation(() => DeletedFiles, {
    description:
      'Deletes unclaimed files by their names, for good. Other names are left out. The audit trail tells of it.',
  })
  deleteUnclaimedFiles(@Args('names', { type: () => [String] }) names: string[]): Promise<DeletedFiles> {
    const checked = names.map((name) => textArgument('names', name));
    return this.commands.execute(new DeleteUnclaimedFiles(checked, 'requested'));
  }
}
