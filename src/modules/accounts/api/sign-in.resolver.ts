import { CommandBus } from '@nestjs/cqrs';
import { Args, Context, Field, Mutation, ObjectType, Resolver } from '@nestjs/graphql';
import { bearerToken } from '../../../platform/auth/authenticator.js';
import type { AuthContext } from '../../../platform/auth/caller.js';
import { Public } from '../../../platform/auth/public.decorator.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { SignIn, type SignedInSession } from '../commands/sign-in.command.js';
import { SignOut } from '../commands/sign-out.command.js';

@ObjectType({ description: 'Proof of a sign-in.' })
export class Session {
  @Field(() => String, { description: 'Send it as `Authorization: Bearer <token>`. Shown once.' })
  token!: string;

  @Field(() => Date)
  expiresAt!: Date;
}

@Resolver()
export class SignInResolver {
  constructor(private readonly commands: CommandBus) {}

  @Public()
  @Mutation(() => Session, {
    description: 'Opens a session: the one thing that needs none. Refusals: SIGN_IN_REFUSED, TOO_MANY_REQUESTS.',
  })
  async signIn(
    @Args('username', { type: () => String }) username: string,
    @Args('password', { type: () => String }) password: string,
  ): Promise<Session> {
    const command = new SignIn(textArgument('username', username), textArgument('password', password));
    const { token, expiresAt }: SignedInSession = await this.commands.execute(command);
    return { token, expiresAt };
  }

  @Mutation(() => Boolean, { description: 'Closes the session whose token was sent with the request.' })
  async signOut(@Context() { req }: AuthContext): Promise<boolean> {
    const token = bearerToken(req?.headers.authorization);
    if (token !== null) await this.commands.execute(new SignOut(token));
    return true;
  }
}
