import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The page that says where a line lives. Its tables are what these tests hold the code to. */
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

/** Folders directly below a folder. */
const foldersOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

/** Every import of a folder's files: `[file, what it imports]`, relative ones as paths from the project's root. */
function importsOf(folder: string): [string, string][] {
  return filesOf(folder).flatMap((file) => {
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

/** What each folder below `folder` imports of the others: `{ jobs: ['kubernetes', 'restic'], ... }`. */
function arrowsWithin(folder: string): Record<string, string[]> {
  const roomOf = (path: string) => path.slice(folder.length + 1).split('/')[0] as string;
  return Object.fromEntries(
    foldersOf(folder).map((room) => {
      const targets = importsOf(`${folder}/${room}`)
        .map(([, target]) => target)
        .filter((target) => target.startsWith(`${folder}/`) && target.slice(folder.length + 1).includes('/'))
        .map(roomOf)
        .filter((other) => other !== room);
      return [room, [...new Set(targets)].sort()];
    }),
  );
}

/** A table of the page, by its heading: the first column, and the last one as a list of folders. */
function tableOf(heading: string): Record<string, string[]> {
  const section = page.split(`### ${heading}\n`)[1]?.split(/\n#/)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return Object.fromEntries(
    rows.map((row) => {
      const cells = row.split('|').map((cell) => cell.trim());
      const names = (cell = '') => [...cell.matchAll(/`([\w-]+)`/g)].map((m) => m[1] as string);
      return [names(cells[1])[0] as string, names(cells.at(-2)).sort()];
    }),
  );
}

const SHARED = ['adapters', 'contract', 'core', 'ports', 'runtime'];
const MACHINES = foldersOf('functions').filter((f) => !SHARED.includes(f));
const HANDLERS = MACHINES.flatMap((m) =>
  foldersOf(`functions/${m}`).map((h) => `functions/${m}/${h}`),
).filter((folder) => filesOf(folder).includes('handler.ts'));
const SDK = /^(@aws-sdk|@kubernetes|@middy|@aws-lambda-powertools|@smithy|undici)/;

describe('imports', () => {
  it('of the contract stay within it', () => {
    expect(offending('functions/contract', /^(zod\/mini|functions\/contract\/)/)).toEqual([]);
  });
  it('of the core reach the contract and nothing that acts', () => {
    expect(
      offending(
        'functions/core',
        /^(zod\/mini|node:(crypto|zlib)|@noble\/ciphers\/|functions\/(contract|core)\/)/,
      ),
    ).toEqual([]);
  });
  it('of the core’s folders are those of the page', () => {
    expect(arrowsWithin('functions/core')).toEqual(tableOf('Folders of the core'));
  });
  it('of the embedded world’s folders are those of the page', () => {
    expect(arrowsWithin('world')).toEqual(tableOf('Folders of the local test environment'));
  });
  it('of the embedded world’s folders never reach the files above them, but for the demo', () => {
    const up = foldersOf('world')
      .filter((folder) => folder !== 'demo')
      .flatMap((folder) => importsOf(`world/${folder}`).filter(([, t]) => /^world\/[^/]+\.ts$/.test(t)));
    expect(up).toEqual([]);
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
  it.each(MACHINES)('of the %s machine’s functions reach no other machine', (machine) => {
    const others = MACHINES.filter((m) => m !== machine).map((m) => `functions/${m}/`);
    expect(importsOf(`functions/${machine}`).filter(([, t]) => others.some((o) => t.startsWith(o)))).toEqual(
      [],
    );
  });
  it.each(HANDLERS)('of %s reach no other function', (folder) => {
    const others = HANDLERS.filter((h) => h !== folder).map((h) => `${h}/`);
    expect(importsOf(folder).filter(([, t]) => others.some((o) => t.startsWith(o)))).toEqual([]);
  });
  it('of what functions share reach no machine', () => {
    const found = SHARED.flatMap((folder) => importsOf(`functions/${folder}`));
    expect(found.filter(([, t]) => MACHINES.some((m) => t.startsWith(`functions/${m}/`)))).toEqual([]);
  });
  it('of infrastructure take the contract alone from functions, and nothing of the embedded world', () => {
    expect(importsOf('infra').filter(([, t]) => /^(functions\/(?!contract\/)|world\/)/.test(t))).toEqual([]);
  });
  it('of the embedded world are of the contract and the core', () => {
    expect(importsOf('world').filter(([, t]) => /^functions\/(?!contract\/|core\/)/.test(t))).toEqual([]);
  });
});

describe('the tables of the page', () => {
  it.each(['Folders of the core', 'Folders of the local test environment'])('%s: no circle', (heading) => {
    const left = new Map(Object.entries(tableOf(heading)));
    for (;;) {
      const free = [...left].filter(([, targets]) => targets.every((t) => !left.has(t)));
      if (free.length === 0) break;
      for (const [name] of free) left.delete(name);
    }
    expect([...left.keys()]).toEqual([]);
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
    const impure = filesOf('functions/core').filter((f) =>
      /process\.|Date\.now|new Date\(\)|Math\.random/.test(
        readFileSync(join(root, 'functions/core', f), 'utf8'),
      ),
    );
    expect(impure).toEqual([]);
  });
});

/** Places where a pattern is found in the code of some folders: `file: what was found`. */
function spelt(pattern: RegExp, folders: readonly string[], allowed: readonly string[] = []): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  );
  return files
    .filter((file) => /\.(ts|json)$/.test(file) && !allowed.includes(file))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(pattern)].map(([found]) => `${file}: ${found}`),
    );
}

describe('one fact is in one place:', () => {
  const CODE = ['cli', 'functions', 'infra', 'state-machines'];

  it('the names of the two copies are listed by the contract alone', () => {
    const list = /(['"])(primary\1\s*[,|]\s*\1replica|replica\1\s*[,|]\s*\1primary)\1/g;
    expect(spelt(list, [...CODE, 'test'], ['functions/contract/copies.ts'])).toEqual([]);
  });

  it('where a copy is, functions and the command line learn from vaultCopies() alone', () => {
    const fields = /\b(replicaRegion|replicaAccount|s3Endpoint|replicaS3Endpoint|vaultBucketName)\b/g;
    const contract = ['copies', 'names', 'settings'].map((name) => `functions/contract/${name}.ts`);
    expect(spelt(fields, ['cli', 'functions'], contract)).toEqual([]);
  });

  it('no ARN says of which partition of AWS it is, but for the example that the validator of machines is shown', () => {
    expect(spelt(/arn:aws(?!:lambda:eu-west-1:123456789012:)\S*/g, CODE)).toEqual([]);
  });

  it('the domain of a region’s services is made in one place', () => {
    expect(spelt(/\}\.amazonaws\.\S*/g, CODE, ['functions/contract/partition.ts'])).toEqual([]);
  });
});
