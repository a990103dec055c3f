import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Mutation, Resolver, Subscription } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { ChangeStream } from '../../../platform/graphql/change-stream.js';
import { uuidArgument } from '../../../platform/graphql/arguments.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { ReadModelChanges } from '../../../platform/eventsourcing/read-model-changes.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { RemovePackage, SetPackageStage } from '../lifecycle/change-package.command.js';
import { PackagesByIdQuery } from '../contracts/package-queries.js';
import { Package } from './package.type.js';
import type { Stage } from '../../../kernel/stage.js';

@Resolver()
export class PackageChangesResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
    private readonly changes: ReadModelChanges,
  ) {}

  @Needs('promote')
  @Mutation(() => Package, {
    description: 'Promotes or demotes a package on every server. Refusals: PACKAGE_NOT_FOUND, INVALID_REQUEST.',
  })
  async setPackageStage(
    @Args('id', { type: () => ID }) id: string,
    @Args('stage', { type: () => StageName }) stage: Stage,
  ): Promise<Package> {
    const packageId = uuidArgument('id', id);
    return this.loadChanged(packageId, await this.commands.execute(new SetPackageStage(packageId, stage)));
  }

  @Needs('remove')
  @Mutation(() => Package, {
    description: 'Removes a package from every server. Refusals: PACKAGE_NOT_FOUND, INVALID_REQUEST.',
  })
  async removePackage(@Args('id', { type: () => ID }) id: string): Promise<Package> {
    const packageId = uuidArgument('id', id);
    return this.loadChanged(packageId, await this.commands.execute(new RemovePackage(packageId)));
  }

  @Needs('read')
  @Subscription(() => Package, {
    nullable: true,
    description:
      'Each package that changes, or only the package with `id`. Null means that many packages changed at once: read the list ' +
      'again.',
    resolve: (changed: Package | null) => changed,
  })
  packageChanged(@Args('id', { type: () => ID, nullable: true }) id?: string | null): AsyncIterator<Package | null> {
    const only = typeof id === 'string' ? uuidArgument('id', id) : null;
    const loadPackages = async (keys: readonly string[] | null): Promise<readonly (Package | null)[]> => {
      const ids = keys ?? (only === null ? null : [only]);
      return ids === null ? [null] : this.findExisting(ids);
    };
    return new ChangeStream(this.changes, 'packages', loadPackages, { wants: (key) => only === null || key === only });
  }

  private async findExisting(ids: readonly string[]): Promise<Package[]> {
    return (await this.queries.execute(new PackagesByIdQuery(ids))).flatMap((found) => found ?? []);
  }

  private async loadChanged(id: string, receipt: Receipt): Promise<Package> {
    await this.readModels.reflect(receipt);
    const [found] = await this.findExisting([id]);
    if (!found) throw new Refusal('PACKAGE_NOT_FOUND', 'There is no such package.');
    return found;
  }
}
