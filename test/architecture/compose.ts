import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const names = z.union([z.array(z.string()), z.record(z.string(), z.unknown()).transform(Object.keys)]);
const settings = z.record(z.string(), z.string());
const Service = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  environment: settings.default({}),
  depends_on: names.default([]),
  networks: names.default([]),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  read_only: z.boolean().default(false),
  user: z.string().optional(),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  healthcheck: z.unknown().optional(),
});
const Compose = z.object({
  services: z.record(z.string(), Service),
  networks: z.record(z.string(), z.unknown()),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

export type ComposeFile = z.output<typeof Compose>;

/** A compose file with its anchors and merges put in place: as it stands, and the parts that we check further. */
export function readCompose(file: string): { raw: unknown; compose: ComposeFile } {
  const raw: unknown = parse(readFileSync(file, 'utf8'), { merge: true });
  return { raw, compose: Compose.parse(raw) };
}

/** What is named and is not there, one line each. A path on this machine begins with a dot. */
export function missingIn({ services, networks, volumes, secrets }: ComposeFile, folder: string): string[] {
  const there = { networks, secrets, depends_on: services };
  return Object.entries(services).flatMap(([name, service]) => {
    const missing = (Object.keys(there) as (keyof typeof there)[]).flatMap((kind) =>
      service[kind].filter((wanted) => !Object.hasOwn(there[kind], wanted)).map((wanted) => `${kind} ${wanted}`),
    );
    const sources = service.volumes.map((volume) => volume.split(':')[0] ?? '');
    const gone = sources.filter(
      (source) => !(source.startsWith('.') ? existsSync(resolve(folder, source)) : Object.hasOwn(volumes, source)),
    );
    const files = service.build ? [resolve(folder, service.build.context, service.build.dockerfile)] : [];
    return [...missing, ...gone, ...files.filter((file) => !existsSync(file))].map((what) => `${name}: ${what}`);
  });
}
