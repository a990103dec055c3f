import { z } from 'zod';

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

/** A client of the GraphQL API of one server, signed in as an administrator. */
export class AdminClient {
  private constructor(
    readonly url: string,
    readonly token: string,
  ) {}

  static async signIn(url: string, username: string, password: string): Promise<AdminClient> {
    const reply = await new AdminClient(url, '').ask(
      'mutation ($username: String!, $password: String!) { signIn(username: $username, password: $password) { token } }',
      z.object({ signIn: z.object({ token: z.string() }) }),
      { username, password },
    );
    return new AdminClient(url, reply.signIn.token);
  }

  /** @throws Error with the server's message */
  async ask<T>(query: string, shape: z.ZodType<T>, variables: object = {}): Promise<T> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(this.token && { authorization: `Bearer ${this.token}` }) },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = Answer.parse(await response.json());
    if (errors?.[0]) throw new Error(`${this.url}: ${errors[0].message}`);
    return shape.parse(data);
  }
}
