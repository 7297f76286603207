import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlaneOutcome } from '../../functions/core/backup/control-plane.ts';
import { debian } from '../../world/tools/debian.ts';
import { restic } from '../../world/tools/go.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { bringUp, processEnv, takeDown } from '../../world/world.ts';

// A world of its own: it loses its etcd.
const WORLD = 'scratch';

interface Seen {
  readonly outcomes: readonly ControlPlaneOutcome[];
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
  readonly said: string;
  readonly sameCertificate: boolean;
}
let seen: Seen;

beforeAll(async () => {
  await takeDown(WORLD);
  const world = await bringUp({ name: WORLD });
  const program = fileURLToPath(new URL('etcd-drill.ts', import.meta.url));
  const [file = '', ...args] = [...world.enter, process.execPath, program];
  const tools = [join(folderOf(debian), 'usr/bin'), folderOf(restic)];
  const env = processEnv(world);
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    env: { ...env, PATH: [...tools, env.PATH].join(':') },
    timeout: 240_000,
  });
  if (status !== 0) throw new Error(stderr + stdout);
  seen = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Seen;
});
afterAll(() => takeDown(WORLD));

it('takes a snapshot of etcd from its leader, and the files of the node', () => {
  expect(seen.outcomes).toMatchObject([
    { id: 'etcd-status', result: 'protected', endpoint: 'https://10.201.0.1:2379' },
    { id: 'etcd', result: 'protected', endpoint: 'https://10.201.0.1:2379' },
    { id: 'etcd-scratch', result: 'protected' },
    { id: 'files.node1', result: 'protected' },
  ]);
  const etcd = seen.outcomes[1] as ControlPlaneOutcome;
  expect(etcd.keys).toBeGreaterThan(100);
  const newest = Math.max(...Object.values(seen.before).map(Number));
  expect(etcd.revision).toBeGreaterThanOrEqual(newest);
});

it('brings every object back as it was, after etcd is lost with its data', () => {
  expect(Object.keys(seen.before).filter((name) => name.startsWith('default/before-'))).toHaveLength(20);
  expect(seen.after).toEqual(seen.before);
});

it('brings back the files of the node, and says where', () => {
  expect(seen.sameCertificate).toBe(true);
  expect(seen.said).toMatch(
    /restoring the control plane of nightly-20260101000000\n[\s\S]*etcd at revision \d+ with \d+ keys: /,
  );
});
