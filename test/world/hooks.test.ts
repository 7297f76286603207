import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterEndpoint } from '../../functions/adapters/kubernetes/access.ts';
import { kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import { exec } from '../../functions/adapters/kubernetes/exec.ts';
import type { Hook, PodHooks } from '../../functions/core/hooks.ts';
import { objectPath } from '../../functions/core/resources.ts';
import { vaultKeys } from '../../functions/core/vault-keys.ts';
import { TYPES } from '../../functions/core/well-known.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { hookRunner, outcomesOf } from '../../functions/runtime/hooks.ts';
import { imageNames } from '../../infra/local/settings.ts';
import { connect, create, endpoint, makeVault } from '../support/world.ts';

const NAMESPACE = 'hooks';
const keys = vaultKeys('hooks');
let cluster: KubeClient;
let vault: Vault;
let count = 0;

beforeAll(async () => {
  cluster = connect();
  vault = await makeVault('hooks');
  await create(cluster, TYPES.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
  await create(cluster, TYPES.pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', namespace: NAMESPACE },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: imageNames.busybox, command: ['sleep', '3600'] }],
    },
  });
  for (;;) {
    const { body } = await cluster.call('GET', objectPath(TYPES.pods, 'app', NAMESPACE));
    if (JSON.parse(body.toString('utf8')).status.containerStatuses?.[0]?.ready) break;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
});
afterAll(() => cluster.close());

const run = (command: string[], timeoutSeconds = 10, client = cluster) =>
  exec(client, { namespace: NAMESPACE, pod: 'app', container: 'main', command, timeoutSeconds });
const sh = (script: string) => ['sh', '-c', script];

describe('a command in a container', () => {
  it('gives back what it wrote, on both of its outputs', async () => {
    const { ok, output } = await run(sh('echo "a & b"; echo é >&2'));
    expect([ok, output.split('\n').sort()]).toEqual([true, ['', 'a & b', 'é']]);
  });

  it('that fails says its exit code, and what it wrote', async () => {
    expect(await run(sh('echo almost; exit 7'))).toEqual({
      ok: false,
      output: 'almost\n',
      message: expect.stringContaining('exit code 7'),
    });
  });

  it('that is not there is said by the container runtime', async () => {
    expect(await run(['nowhere'])).toMatchObject({ ok: false, message: expect.stringContaining('nowhere') });
  });

  it('that takes too long is given up', async () => {
    expect(await run(['sleep', '30'], 1)).toEqual({
      ok: false,
      output: '',
      message: 'it took longer than 1 s',
    });
  });

  it('in a pod that is not there fails', async () => {
    const at = {
      namespace: NAMESPACE,
      pod: 'nobody',
      container: 'main',
      command: ['true'],
      timeoutSeconds: 5,
    };
    expect(await exec(cluster, at)).toMatchObject({ ok: false });
  });

  it('is refused with the roles that would allow it', async () => {
    const { body } = await cluster.call(
      'POST',
      `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/default/token`,
      {
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      },
    );
    const { cert: _, key: __, ...at } = endpoint();
    const poor: ClusterEndpoint = { ...at, token: JSON.parse(body.toString('utf8')).status.token };
    const client = kubeClient(poor);
    expect(await run(['true'], 5, client)).toMatchObject({
      ok: false,
      message: expect.stringContaining('holdfast rbac --hooks'),
    });
    await client.close();
  });
});

describe('the hooks of a backup', () => {
  const hook = (script: string, onError: Hook['onError'] = 'Fail'): Hook => ({
    container: 'main',
    command: sh(script),
    onError,
    timeoutSeconds: 10,
  });
  const of = (over: Partial<PodHooks>): PodHooks => ({
    namespace: NAMESPACE,
    pod: 'app',
    volumes: ['hooks.a', 'hooks.b'],
    ...over,
  });
  const runner = () => {
    const backup = `b-${Date.now()}-${++count}`;
    return { backup, ...hookRunner(cluster, vault, keys, backup) };
  };
  const marks = async () => (await run(sh('cat /tmp/marks; rm -f /tmp/marks'))).output;

  it('run once each: before the first volume, and after the last', async () => {
    const hooks = [of({ pre: hook('echo pre >> /tmp/marks'), post: hook('echo post >> /tmp/marks') })];
    const { before, after } = runner();
    expect(await before(hooks, 'hooks.a')).toBeUndefined();
    await after(hooks, new Set(['hooks.a']));
    expect(await before(hooks, 'hooks.b')).toBeUndefined();
    expect(await marks()).toBe('pre\n');
    await after(hooks, new Set(['hooks.a', 'hooks.b']));
    await after(hooks, new Set(['hooks.a', 'hooks.b']));
    expect(await marks()).toBe('post\n');
  });

  it('keep a volume from being read when the one before it fails, and tell why', async () => {
    const hooks = [of({ pre: hook('echo no disk; exit 1') })];
    const { backup, before } = runner();
    expect(await before(hooks, 'hooks.a')).toMatch(/^the pre hook of pod hooks\/app failed: .*exit code 1/);
    expect(await outcomesOf(vault, keys, backup, hooks)).toMatchObject([
      { hook: 'pre', ok: false, continued: false, output: 'no disk\n' },
    ]);
  });

  it('do not when failing is allowed', async () => {
    expect(await runner().before([of({ pre: hook('exit 1', 'Continue') })], 'hooks.a')).toBeUndefined();
  });

  it('are undone after a failure only where they had begun', async () => {
    const hooks = [of({ pre: hook('true'), post: hook('echo thawed >> /tmp/marks') })];
    const idle = runner();
    await idle.undo(hooks);
    expect(await marks()).not.toContain('thawed');
    const begun = runner();
    await begun.before(hooks, 'hooks.a');
    await begun.undo(hooks);
    expect(await marks()).toBe('thawed\n');
  });
});
