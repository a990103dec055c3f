import { CommandBus } from '@nestjs/cqrs';
import { Args, Context, Field, Mutation, ObjectType, Resolver } from '@nestjs/graphql';
import type { AuthContext } from '../../../platform/auth/caller.js';
import { BeforePasswordChange, Needs } from '../../../platform/auth/needs.decorator.js';
import { Public } from '../../../platform/auth/public.decorator.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { SignOut } from '../commands/sessions/sign-out.command.js';
import { SignIn } from '../commands/sign-in/sign-in.command.js';

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
    @Context() { req }: AuthContext,
    @Args('username', { type: () => String }) username: string,
    @Args('password', { type: () => String }) password: string,
  ): Promise<Session> {
    const userAgent = req?.headers['user-agent'] ?? null;
    const command = new SignIn(textArgument('username', username), textArgument('password', password), userAgent);
    const { token, expiresAt } = await this.commands.execute(command);
    return { token, expiresAt };
  }

  @Needs('own')
  @BeforePasswordChange()
  @Mutation(() => Boolean, { description: 'Closes the session whose token was sent with the request.' })
  async signOut(): Promise<boolean> {
    await this.commands.execute(new SignOut());
    return true;
  }
}
