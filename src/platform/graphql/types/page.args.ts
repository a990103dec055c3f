import { ArgsType, Field, Int } from '@nestjs/graphql';
import { DEFAULT_FIRST } from '../../paging/page.js';

@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: DEFAULT_FIRST, description: 'Rows on the page, from 1 to 100.' })
  first!: number;

  @Field(() => String, { nullable: true, description: '`endCursor` of the page before; none for the first page.' })
  after?: string | null;
}
