import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { lastWords } from '../functions/core/restic/log.ts';
import { repositoryPassword } from '../functions/core/restic/repository.ts';
import type { RepositoryKeys } from './rotate-key.ts';

/** restic's exit code for a wrong password. */
const WRONG_PASSWORD = 12;
const LOCK = ['--retry-lock', '5m'];
const KeyList = z.array(z.looseObject({ id: z.string(), current: z.boolean() }));

export interface RepositoryPlace {
  /** Key of the repository in the vault; its password is derived from it. */
  readonly repository: string;
  readonly bucket: string;
  readonly url: string;
  readonly region: string;
}

/** The keys of a repository, through the restic on the PATH. Without its cache, which could hold outdated keys. */
export function repositoryKeys({ repository, bucket, url, region }: RepositoryPlace): RepositoryKeys {
  const name = `${repository} in ${bucket}`;
  const run = (master: string, ...args: string[]): Promise<ResticEnd> =>
    restic([...args, '--no-cache'], {
      RESTIC_REPOSITORY: url,
      RESTIC_PASSWORD: repositoryPassword(master, repository),
      AWS_DEFAULT_REGION: region,
    });
  const must = async (master: string, ...args: string[]): Promise<string> => {
    const { code, output, errors } = await run(master, ...args);
    if (code === 0) return output;
    throw new Error(`restic ${args[0]} ${args[1]} of ${name} exited with code ${code}: ${lastWords(errors)}`);
  };
  return {
    name,
    async opens(master) {
      const { code, errors } = await run(master, 'cat', 'config', '--no-lock');
      if (code === 0 || code === WRONG_PASSWORD) return code === 0;
      throw new Error(`${name} cannot be opened: restic exited with code ${code}: ${lastWords(errors)}`);
    },
    add: (master, of) =>
      withFile(repositoryPassword(of, repository), (file) =>
        must(
          master,
          'key',
          'add',
          '--new-password-file',
          file,
          '--host',
          'holdfast',
          '--user',
          'rotate-key',
          ...LOCK,
        ),
      ),
    async remove(master, of) {
      const keys = z.parse(KeyList, JSON.parse(await must(of, 'key', 'list', '--json', '--no-lock')));
      const found = keys.find((key) => key.current);
      if (!found) throw new Error(`restic key list does not report the current key of ${name}`);
      await must(master, 'unlock'); // removes stale locks only
      await must(master, 'key', 'remove', found.id, ...LOCK);
    },
  };
}

interface ResticEnd {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs restic with these settings; ignores the caller's RESTIC_ variables. */
function restic(args: readonly string[], settings: Readonly<Record<string, string>>): Promise<ResticEnd> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('RESTIC_'));
  const env = { ...Object.fromEntries(own), ...settings };
  return new Promise((resolve, reject) => {
    execFile('restic', args, { env }, (error, output, errors) => {
      if (error?.code === 'ENOENT')
        reject(new Error('restic is not found on the PATH: install restic 0.19.1 or newer'));
      else resolve({ code: error ? Number(error.code ?? 1) : 0, output, errors });
    });
  });
}

/** Calls `work` with a temporary file that only this user can read. */
async function withFile(content: string, work: (file: string) => Promise<unknown>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  try {
    const file = join(folder, 'password');
    writeFileSync(file, content, { mode: 0o600 });
    await work(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
