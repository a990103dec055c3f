import type { IncomingMessage, ServerResponse } from 'node:http';
import { CommandBus } from '@nestjs/cqrs';
import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';
import type { AuthContext } from '../../../platform/access/caller.js';
import { SessionCookie } from '../../../platform/access/session-cookie.js';
import { BeforePasswordChange, Needs, Public } from '../../../platform/access/needs.decorator.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { passwordArgument, textArgument } from '../../../platform/graphql/arguments.js';
import { addressGroup, KeyedLimit } from '../../../platform/limits/rate-limit.js';
import { SignOut } from '../sign-in/close-sessions.command.js';
import { SignIn } from '../sign-in/sign-in.command.js';
import { Session } from './session.types.js';

/** Express makes the response available at the request. */
type Answered = IncomingMessage & { readonly res?: ServerResponse };

/** Rate of sign-ins from one address, right or wrong, checked before anything else. Wrong passwords are slowed down much earlier. */
const SIGN_IN_RATE = { burst: 100, perSecond: 2 };

@Resolver()
export class SignInResolver {
  private readonly tries = new KeyedLimit('Too many sign-ins', SIGN_IN_RATE);

  constructor(
    private readonly commands: CommandBus,
    private readonly cookie: SessionCookie,
  ) {}

  @Public()
  @Mutation(() => Session, {
    description:
      'Opens a session. This call itself needs none. With `cookie`, for pages in a browser, the token is set as a cookie that ' +
      'scripts cannot read; later calls must then have the header `X-ODST-CSRF: 1`. Refusals: SIGN_IN_REFUSED, TOO_MANY_REQUESTS, DIRECTORY_UNAVAILABLE.',
  })
  async signIn(
    @Context() { req }: AuthContext,
    @Args('username', { type: () => String }) username: string,
    @Args('password', { type: () => String }) password: string,
    @Args('cookie', { type: () => Boolean, defaultValue: false }) cookie: boolean,
  ): Promise<Session> {
    const request: Answered | undefined = req;
    this.tries.take(addressGroup(currentContext().address));
    const userAgent = request?.headers['user-agent'] ?? null;
    const command = new SignIn(textArgument('username', username), passwordArgument('password', password), userAgent);
    if (cookie && request) this.cookie.requireOwnPage(request);
    const { token, expiresAt } = await this.commands.execute(command);
    if (!cookie || !request?.res) return { token, expiresAt };
    this.cookie.setCookie(request, request.res, token, expiresAt);
    return { token: null, expiresAt };
  }

  @Needs('own')
  @BeforePasswordChange()
  @Mutation(() => Boolean, {
    description: 'Closes the session of this call. Refusals: INVALID_REQUEST.',
  })
  async signOut(@Context() { req }: AuthContext): Promise<boolean> {
    const request: Answered | undefined = req;
    await this.commands.execute(new SignOut());
    if (request?.res) this.cookie.clearCookie(request, request.res);
    return true;
  }
}
