import { registerEnumType } from '@nestjs/graphql';

/** `STAGES` of the kernel as GraphQL names them. */
export enum StageName {
  Dev = 'Dev',
  Test = 'Test',
  Prod = 'Prod',
}

registerEnumType(StageName, {
  name: 'Stage',
  description: 'How far a package has come. A server of a stage takes packages of that stage or a later one.',
});
