import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every import of a folder's files: `[file, what it imports]`, relative ones as paths from the project's root. */
function importsOf(folder: string): [string, string][] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((f) =>
    f.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const path = join(root, folder, file);
    const found = [...readFileSync(path, 'utf8').matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'/gms)].map(
      (m) => m[1] as string,
    );
    return found.map((name): [string, string] => {
      const target = name.startsWith('.') ? relative(root, resolve(dirname(path), name)) : name;
      return [join(folder, file), target];
    });
  });
}

const offending = (folder: string, allowed: RegExp) =>
  importsOf(folder)
    .filter(([, target]) => !allowed.test(target))
    .map(([file, target]) => `${file} imports ${target}`);

const HANDLERS = readdirSync(join(root, 'functions')).filter(
  (f) => !['contract', 'core', 'ports', 'adapters', 'runtime'].includes(f),
);
const SDK = /^(@aws-sdk|@kubernetes|@middy|@aws-lambda-powertools|@smithy|undici)/;

describe('imports', () => {
  it('of the contract stay within it', () => {
    expect(offending('functions/contract', /^(zod\/mini|functions\/contract\/)/)).toEqual([]);
  });
  it('of the core reach the contract and nothing that acts', () => {
    expect(
      offending('functions/core', /^(zod\/mini|rfc6902|node:crypto|functions\/(contract|core)\/)/),
    ).toEqual([]);
  });
  it('of ports reach core and contract', () => {
    expect(offending('functions/ports', /^(node:stream|functions\/(contract|core|ports)\/)/)).toEqual([]);
  });
  it('of adapters reach ports, core and contract', () => {
    expect(
      importsOf('functions/adapters').filter(([, t]) =>
        /^functions\/(?!contract|core|ports|adapters)/.test(t),
      ),
    ).toEqual([]);
  });
  it('of SDKs are in adapters and runtime alone', () => {
    const found = importsOf('functions').filter(
      ([file, t]) => SDK.test(t) && !/^functions\/(adapters|runtime)\//.test(file),
    );
    expect(found).toEqual([]);
  });
  it.each(HANDLERS)('of %s reach no other handler', (folder) => {
    const others = HANDLERS.filter((h) => h !== folder).map((h) => `functions/${h}/`);
    expect(importsOf(`functions/${folder}`).filter(([, t]) => others.some((o) => t.startsWith(o)))).toEqual(
      [],
    );
  });
  it('of infrastructure take the contract alone from functions', () => {
    const synth = importsOf('infra').filter(([file]) => !file.startsWith('infra/local/'));
    expect(synth.filter(([, t]) => /^functions\/(?!contract\/)/.test(t))).toEqual([]);
  });
  it('of the embedded world are of the contract and the core', () => {
    expect(importsOf('infra/local').filter(([, t]) => /^functions\/(?!contract\/|core\/)/.test(t))).toEqual(
      [],
    );
  });
});

describe('ports', () => {
  it('are types alone', () => {
    const values = readdirSync(join(root, 'functions/ports')).filter((f) =>
      /^(import (?!type )|export (?!interface|type ))/m.test(
        readFileSync(join(root, 'functions/ports', f), 'utf8'),
      ),
    );
    expect(values).toEqual([]);
  });
});

describe('the core', () => {
  it('reads no clock, no environment and no randomness', () => {
    const files = readdirSync(join(root, 'functions/core'));
    const impure = files.filter((f) =>
      /process\.|Date\.now|new Date\(\)|Math\.random/.test(
        readFileSync(join(root, 'functions/core', f), 'utf8'),
      ),
    );
    expect(impure).toEqual([]);
  });
});
