import { describe, expect, it } from 'vitest';
import {
  durationSeconds,
  failedHooks,
  type HookOutcome,
  hooksOf,
} from '../../../../functions/core/volumes/hooks.ts';

const volume = { id: 'shop.data', namespace: 'shop', pvc: 'data', pod: 'db-0', strategy: 'mount' } as const;
const pod = (annotations: Record<string, string>, name = 'db-0') => ({
  metadata: { name, namespace: 'shop', annotations },
  spec: { containers: [{ name: 'db' }, { name: 'sidecar' }] },
});
const PRE = 'pre.hook.backup.velero.io';
const POST = 'post.hook.backup.velero.io';
const hooks = (annotations: Record<string, string>) => hooksOf([pod(annotations)], [volume]);

describe('the hooks of a pod', () => {
  it('are what its annotations say', () => {
    const annotations = {
      [`${PRE}/command`]: '["sh", "-c", "freeze"]',
      [`${PRE}/container`]: 'sidecar',
      [`${PRE}/timeout`]: '1m30s',
      [`${PRE}/on-error`]: 'Continue',
      [`${POST}/command`]: '/thaw',
    };
    expect(hooks(annotations)).toEqual({
      hooks: [
        {
          namespace: 'shop',
          pod: 'db-0',
          volumes: ['shop.data'],
          pre: {
            container: 'sidecar',
            command: ['sh', '-c', 'freeze'],
            onError: 'Continue',
            timeoutSeconds: 90,
          },
          post: { container: 'db', command: ['/thaw'], onError: 'Fail', timeoutSeconds: 30 },
        },
      ],
      problems: [],
    });
  });

  it('are none without a command, or without a volume in the backup', () => {
    expect(hooks({ [`${PRE}/timeout`]: '1s' }).hooks).toEqual([]);
    expect(hooksOf([pod({ [`${PRE}/command`]: 'x' }, 'other')], [volume]).hooks).toEqual([]);
  });

  it.each([
    ['command', '["a", 1]', 'its pre hook has a command that is not a JSON list of strings: ["a", 1]'],
    ['command', '[', 'its pre hook has a command that is not a JSON list of strings: ['],
    ['container', 'nobody', 'its pre hook has the container "nobody", which the pod does not have'],
    ['timeout', 'soon', 'its pre hook has the timeout "soon"; write one like 30s'],
    ['timeout', '10m', 'its pre hook has a timeout of 10m; the maximum is five minutes'],
  ])('with the %s %s are a problem', (name, value, problem) => {
    const { problems } = hooks({ [`${PRE}/command`]: 'x', [`${PRE}/${name}`]: value });
    expect(problems).toEqual([`pod shop/db-0: ${problem}`]);
  });
});

describe('a duration', () => {
  it.each([
    ['30s', 30],
    ['1h2m3s', 3723],
    ['1.5m', 90],
    ['500ms', 0.5],
    ['30', undefined],
    ['', undefined],
  ])('%s is %s seconds', (text, seconds) => {
    expect(durationSeconds(text)).toBe(seconds);
  });
});

describe('a failed hook', () => {
  const outcome = (over: Partial<HookOutcome>): HookOutcome => ({
    pod: 'shop/db-0',
    hook: 'post',
    container: 'db',
    ok: false,
    continued: false,
    seconds: 1,
    output: '',
    message: 'exit code 1',
    ...over,
  });

  it('counts when it was the last word on its pod', () => {
    expect(failedHooks([outcome({})])).toEqual(['the post hook of pod shop/db-0 failed: exit code 1']);
  });

  it('does not count when that was allowed, or when its volumes tell', () => {
    expect(
      failedHooks([outcome({ continued: true }), outcome({ hook: 'pre' }), outcome({ ok: true })]),
    ).toEqual([]);
  });
});
