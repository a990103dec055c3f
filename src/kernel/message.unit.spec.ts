import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { expectTypeOf, it } from 'vitest';
import { Message } from './message.js';

class Question extends Message<number | null> {
  readonly text = 'How many?';
}

it('tells both buses the type of its result', () => {
  const ask = (bus: Pick<QueryBus, 'execute'>) => bus.execute(new Question());
  const order = (bus: Pick<CommandBus, 'execute'>) => bus.execute(new Question());
  expectTypeOf<Awaited<ReturnType<typeof ask>>>().toEqualTypeOf<number | null>();
  expectTypeOf<Awaited<ReturnType<typeof order>>>().toEqualTypeOf<number | null>();
});
