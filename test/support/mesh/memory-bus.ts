import type { CommandBus, QueryBus } from '@nestjs/cqrs';

interface Handler {
  execute(message: object): Promise<unknown>;
}

/** Brings commands and queries to their handlers. */
export class MemoryBus {
  private readonly handlers = new Map<unknown, Handler>();

  on<M extends object>(
    type: abstract new (...args: never[]) => M,
    handler: { execute(message: M): Promise<unknown> },
  ): this {
    this.handlers.set(type, handler as Handler);
    return this;
  }

  async execute<R>(message: object): Promise<R> {
    const handler = this.handlers.get(message.constructor);
    if (!handler) throw new Error(`Nobody handles ${message.constructor.name}`);
    return (await handler.execute(message)) as R;
  }

  /** For who wants Nest's: it has what they call. */
  get commands(): CommandBus {
    return this as unknown as CommandBus;
  }

  get queries(): QueryBus {
    return this as unknown as QueryBus;
  }
}
