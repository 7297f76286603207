import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type FakeAwsOptions, fakeAws } from '../../support/fake-aws.ts';

// What the commands address: each test runs the command line as a person does, on an AWS that notes what it is asked for.
const main = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url));
const [OURS, THEIRS] = ['111111111111', '222222222222'] as const;
const PRIMARY = `holdfast-vault-${OURS}-eu-west-1`;
const REPLICA = `holdfast-vault-${THEIRS}-eu-central-1`;
const AWS: FakeAwsOptions = { caller: `arn:aws:iam::${OURS}:user/me`, buckets: [PRIMARY, REPLICA] };
const ONE_ACCOUNT = '{ region: eu-west-1, replicaRegion: eu-central-1 }';
const TWO_ACCOUNTS = ONE_ACCOUNT.replace('}', `, account: "${OURS}", replicaAccount: "${THEIRS}" }`);

function configOf(vault: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'holdfast-cli-')), 'holdfast.yaml');
  writeFileSync(
    file,
    `vault: ${vault}
clusters:
  - name: prod
    access: { kind: kubeconfig, backupSecret: prod/backup, restoreSecret: prod/restore }
    veleroSources: [{ name: old-velero, bucket: velero, region: eu-west-1 }]
    plans:
      - { name: nightly, namespaces: [shop], schedule: "0 2 * * *", retention: { keepLast: 3 } }
    retired: [{ name: weekly, retention: { keepLast: 1, ttl: 1y } }]
`,
  );
  return file;
}

/** Runs `holdfast` on an AWS of its own: its exit code, all that it printed, and what it asked AWS for. */
async function holdfast(args: readonly string[], vault: string, options = AWS) {
  const aws = await fakeAws(options);
  const env = { ...process.env, ...aws.env, HOLDFAST_CONFIG: configOf(vault) };
  const ended = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
  await aws.close();
  return {
    ...ended,
    buckets: aws.buckets,
    machines: aws.machines,
    actions: aws.actions,
    requests: aws.requests(),
  };
}

describe.concurrent('with the second copy in another account', () => {
  test.each([['verify-keys'], ['rotate-key']])('vault %s works on both copies', async (command) => {
    const { code, buckets } = await holdfast(['vault', command], TWO_ACCOUNTS);
    expect([code, buckets]).toEqual([0, new Set([PRIMARY, REPLICA])]);
  });

  test('vault rewind --from replica rewinds the bucket of that account', async () => {
    const args = ['vault', 'rewind', '--from', 'replica', '--to', '2h ago'];
    const { code, output, buckets } = await holdfast(args, TWO_ACCOUNTS);
    expect([code, output]).toEqual([0, expect.stringContaining(`prod in ${REPLICA} (replica)`)]);
    expect(buckets).toEqual(new Set([PRIMARY, REPLICA])); // leases are in the primary
  });

  test('restic --from replica opens the repository of that account', async () => {
    const { output } = await holdfast(['restic', '--from', 'replica', '--print-env', 'shop'], TWO_ACCOUNTS);
    const url = `s3:https://s3.eu-central-1.amazonaws.com/${REPLICA}/restic/prod/shop`;
    expect(output).toContain(`RESTIC_REPOSITORY='${url}'`);
    expect(output).toContain(`AWS_DEFAULT_REGION='eu-central-1'`);
  });

  test('a caller of the other account reads the primary copy where it is', async () => {
    const caller = `arn:aws:iam::${THEIRS}:user/auditor`;
    const { code, buckets } = await holdfast(['vault', 'verify-keys'], TWO_ACCOUNTS, { ...AWS, caller });
    expect([code, buckets]).toEqual([0, new Set([PRIMARY, REPLICA])]);
  });
});

describe.concurrent('in another partition of AWS', () => {
  const GOV = {
    caller: `arn:aws-us-gov:sts::${OURS}:assumed-role/admin/me`,
    buckets: ['us-gov-west-1', 'us-gov-east-1'].map((region) => `holdfast-vault-${OURS}-${region}`),
  };
  const VAULT = '{ region: us-gov-west-1, replicaRegion: us-gov-east-1 }';
  const machines = `arn:aws-us-gov:states:us-gov-west-1:${OURS}:stateMachine:holdfast-prod-`;

  test('a machine is started in that partition', async () => {
    const { code, machines: started } = await holdfast(['backup', 'nightly'], VAULT, GOV);
    expect([code, started]).toEqual([0, new Set([`${machines}backup`])]);
  });

  test('what is at work is looked for in that partition', async () => {
    const { code, machines: seen } = await holdfast(['vault', 'rewind', '--to', '2h ago'], VAULT, GOV);
    expect([code, seen.has(`${machines}backup`)]).toEqual([0, true]);
    expect([...seen].filter((arn) => !arn.startsWith(machines))).toEqual([]);
  });

  test('that of China has its own domain', async () => {
    const china = { caller: `arn:aws-cn:iam::${OURS}:user/me`, buckets: [] };
    const vault = '{ region: cn-north-1, replicaRegion: cn-northwest-1 }';
    const { output } = await holdfast(['restic', '--print-env', 'shop'], vault, china);
    expect(output).toContain(`s3:https://s3.cn-north-1.amazonaws.com.cn/holdfast-vault-${OURS}-cn-north-1/`);
  });
});

describe.concurrent('a word that is not allowed is refused before AWS is asked for anything:', () => {
  test.each([
    [
      'a copy, of restic',
      ['restic', '--from', 'primry', 'shop', '--', 'forget'],
      'primry',
      'primary, replica',
    ],
    [
      'a copy, of control-plane restore',
      ['control-plane', 'restore', '--to', 'x', '--from', 'primry'],
      'primry',
      'primary, replica',
    ],
    [
      'a copy, of vault rewind',
      ['vault', 'rewind', '--to', '2h ago', '--from', 'r'],
      "'r'",
      'primary, replica',
    ],
    [
      'a source, of restore',
      ['restore', 'latest', '--from', 'primry'],
      'primry',
      'primary, replica, old-velero',
    ],
    ['a plan, of backup', ['backup', 'nightli'], 'nightli', 'nightly'],
    ['a plan, of prune', ['prune', 'nightli'], 'nightli', 'nightly, weekly'],
    ['a retired plan, of backup', ['backup', 'weekly'], 'weekly', 'Its plans are: nightly'],
    [
      'a copy behind the repository, of restic',
      ['restic', 'shop', '--from', 'replica', '--', 'forget'],
      '--from',
      'must be before the repository',
    ],
    ['what to get', ['get', 'backup'], "'backup'", 'backups'],
    ['files without paths, of restore', ['restore', 'latest', '--files', 'shop/a'], '--include', '--files'],
    ['paths without a volume, of restore', ['restore', 'latest', '--include', '/a'], '--files', '--include'],
    ['a folder without a volume, of restore', ['restore', 'latest', '--to', '/a'], '--files', '--to'],
    ...['abc', '0', '101', '1.5', '', '0x10', '5e1'].map((share): [string, string[], string, string] => [
      `a share "${share}", of prune`,
      ['prune', 'nightly', '--allow-share', share],
      '--allow-share',
      'must be a whole number from 1 to 100',
    ]),
  ])('%s', async (_, args, word, allowed) => {
    const { code, output, requests } = await holdfast(args, ONE_ACCOUNT);
    expect([code, requests]).toEqual([1, 0]);
    expect(output).toContain(word);
    expect(output).toContain(allowed);
  });

  test.each(['1', '100'])('a share of %s percent starts a prune', async (share) => {
    const { code, machines } = await holdfast(['prune', 'nightly', '--allow-share', share], ONE_ACCOUNT);
    expect([code, machines.size]).toEqual([0, 1]);
  });

  test('a retired plan is a word that prune takes', async () => {
    const { code, machines } = await holdfast(['prune', 'weekly'], ONE_ACCOUNT);
    expect([code, machines.size]).toEqual([0, 1]);
  });

  test('a Velero source of the cluster is a word that restore takes', async () => {
    const { code, machines } = await holdfast(['restore', 'latest', '--from', 'old-velero'], ONE_ACCOUNT);
    expect([code, machines.size]).toEqual([0, 1]);
  });
});

describe.concurrent('vault rotate-key --except', () => {
  const folders = ['restic/prod/blog/', 'restic/prod/shop/'];

  test('refuses a name without a repository, names those that exist, and leaves the secret alone', async () => {
    const args = ['vault', 'rotate-key', '--except', 'blog', 'shpo'];
    const { code, output, actions } = await holdfast(args, TWO_ACCOUNTS, { ...AWS, folders });
    expect([code, actions]).toEqual([1, new Set()]);
    expect(output).toContain('--except: cluster prod has no repository "shpo". It has: blog, shop');
  });

  test('takes the names of repositories', async () => {
    const args = ['vault', 'rotate-key', '--except', 'blog', 'shop'];
    const { code, output } = await holdfast(args, TWO_ACCOUNTS, { ...AWS, folders });
    expect([code, output]).toEqual([0, expect.stringContaining('no longer opens any repository')]);
  });
});
