import { Field, InputType, ObjectType, registerEnumType } from '@nestjs/graphql';
import { connectionOf, edgeOf } from '../../../platform/graphql/types/connection.types.js';
import { StageName } from '../../../platform/graphql/types/stage.enum.js';
import { Package, PackageStateName } from './package.type.js';

export enum PackageOrderFieldName {
  FILENAME = 'FILENAME',
  PUBLISHED_AT = 'PUBLISHED_AT',
  SIZE = 'SIZE',
}

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}

registerEnumType(PackageOrderFieldName, {
  name: 'PackageOrderField',
  description: 'What a list of packages is sorted by.',
});
registerEnumType(OrderDirection, { name: 'OrderDirection', description: 'Ascending or descending.' });

@InputType({ description: 'Which packages to list. What is left out does not restrict.' })
export class PackageFilter {
  @Field(() => String, { nullable: true, description: 'Text that the filename contains, in any case.' })
  filename?: string | null;

  @Field(() => [StageName], { nullable: true, description: 'One or more stages.' })
  stage?: StageName[] | null;

  @Field(() => [PackageStateName], {
    nullable: true,
    description: 'One or more states; all but REMOVED when left out.',
  })
  state?: PackageStateName[] | null;
}

@InputType({ description: 'How to sort a list of packages.' })
export class PackageOrder {
  @Field(() => PackageOrderFieldName, { defaultValue: PackageOrderFieldName.FILENAME })
  field!: PackageOrderFieldName;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.ASC })
  direction!: OrderDirection;
}

const PackageEdge = edgeOf(Package, 'Package');

@ObjectType({ description: 'A page of the list of packages.' })
export class PackageConnection extends connectionOf(PackageEdge) {}
