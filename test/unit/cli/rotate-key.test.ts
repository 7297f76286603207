import { describe, expect, it } from 'vitest';
import { type RepositoryKeys, type Rotation, rotateKey } from '../../../cli/rotate-key.ts';
import type {
  LabelledVersions,
  SecretVersion,
  VersionedSecret,
} from '../../../functions/adapters/secrets/versions.ts';

/** Ends the caller at a call, before it has an effect or after. */
class Calls {
  left = Number.POSITIVE_INFINITY;
  made = 0;
  async call<T>(effect: () => T): Promise<T> {
    this.made++;
    if (this.left-- <= 0) throw new Error('stopped');
    return effect();
  }
}

/** Secrets Manager's labels in memory. */
class MemorySecret implements VersionedSecret {
  readonly name = 'holdfast/prod/repository-master';
  private readonly calls: Calls;
  private versions: { current: SecretVersion; pending?: SecretVersion; previous?: SecretVersion };
  constructor(calls: Calls, value: string) {
    this.calls = calls;
    this.versions = { current: { id: 'v0', value } };
  }
  labels(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.versions).map(([label, v]) => [label, v.value]));
  }
  read = (): Promise<LabelledVersions> => this.calls.call(() => ({ ...this.versions }));
  propose = (value: string, current: SecretVersion) =>
    this.calls.call(() => {
      this.versions.pending ??= { id: `after ${current.id}`, value };
    });
  promote = (pending: SecretVersion, current: SecretVersion) =>
    this.calls.call(() => {
      this.versions = { current: pending, pending, previous: current };
    });
  settle = () =>
    this.calls.call(() => {
      const { pending: _, ...rest } = this.versions;
      this.versions = rest;
    });
}

/** A repository in memory: the secrets whose passwords are among its keys. A key can be there twice. */
class MemoryKeys implements RepositoryKeys {
  readonly name: string;
  keys: string[];
  private readonly calls: Calls;
  private readonly order: string[];
  constructor(calls: Calls, name: string, keys: string[], order: string[] = []) {
    this.calls = calls;
    this.name = name;
    this.keys = keys;
    this.order = order;
  }
  opens = (master: string) => this.calls.call(() => this.keys.includes(master));
  add = (master: string, of: string) => this.change(master, () => this.keys.push(of));
  remove = (master: string, of: string) =>
    this.change(master, () => {
      if (master === of) throw new Error('refusing to remove the key that is in use');
      this.keys.splice(this.keys.indexOf(of), 1);
      this.order.push(this.name);
    });
  private change = (master: string, effect: () => void) =>
    this.calls.call(() => {
      if (!this.keys.includes(master)) throw new Error(`${master} does not open ${this.name}`);
      effect();
    });
}

function world(keys: string[][] = [['old'], ['old'], ['old']]) {
  const calls = new Calls();
  const secret = new MemorySecret(calls, 'old');
  const order: string[] = [];
  const all = keys.map((k, i) => new MemoryKeys(calls, `repository-${i}`, [...k], order));
  const said: string[] = [];
  let made = 0;
  const rotation: Rotation = {
    secret,
    repositories: [all.slice(0, 2), all.slice(2)], // one in both copies, one not replicated yet
    newSecret: () => `new-${++made}`,
    atWork: () => calls.call(() => []),
    say: (line) => void said.push(line),
  };
  return { calls, secret, all, said, rotation, order };
}
const keysOf = (all: readonly MemoryKeys[]) => all.map((r) => r.keys);

describe('a rotation', () => {
  it('leaves the new password alone in every repository', async () => {
    const { secret, all, rotation } = world();
    await rotateKey(rotation);
    expect(keysOf(all)).toEqual([['new-1'], ['new-1'], ['new-1']]);
    expect(secret.labels()).toEqual({ current: 'new-1', previous: 'old' });
  });

  it('that is stopped at any call ends the same when it is run again, with no second secret', async () => {
    const calls = await (async () => {
      const { calls, rotation } = world();
      await rotateKey(rotation);
      return calls.made;
    })();
    for (let stop = 0; stop < calls; stop++) {
      const w = world();
      w.calls.left = stop;
      await expect(rotateKey(w.rotation)).rejects.toThrow('stopped');
      w.calls.left = Number.POSITIVE_INFINITY;
      for (const { keys } of w.all) expect(keys, `stopped at ${stop}`).toContain(w.secret.labels().current);
      await rotateKey(w.rotation);
      const [current] = keysOf(w.all)[0] as [string];
      expect(keysOf(w.all), `stopped at ${stop}`).toEqual([[current], [current], [current]]);
      expect(w.secret.labels(), `stopped at ${stop}`).toEqual({ current, previous: 'old' });
    }
  });

  it('takes the old password from the copy that is replicated first: else it would come back', async () => {
    const { rotation, order } = world([['old'], ['old'], []]);
    await rotateKey({ ...rotation, repositories: [(rotation.repositories[0] ?? []).slice(0, 2)] });
    expect(order).toEqual(['repository-0', 'repository-1']);
  });

  it('removes every key of the old password, also one that replication made double', async () => {
    const { all, rotation } = world([['old', 'old'], ['old'], ['old']]);
    await rotateKey(rotation);
    expect(keysOf(all)).toEqual([['new-1'], ['new-1'], ['new-1']]);
  });

  it('removes what the one before it left, or a rewind brought back', async () => {
    const { all, rotation } = world();
    await rotateKey(rotation);
    all[0]?.keys.push('old');
    await rotateKey(rotation);
    expect(keysOf(all)).toEqual([['new-2'], ['new-2'], ['new-2']]);
  });

  it('mends a repository that only the previous password opens', async () => {
    const { all, rotation } = world();
    await rotateKey(rotation);
    (all[1] as MemoryKeys).keys = ['old'];
    await rotateKey(rotation);
    expect(keysOf(all)).toEqual([['new-2'], ['new-2'], ['new-2']]);
  });

  it('touches no key of anybody else', async () => {
    const { all, rotation } = world([['old', 'an operator'], ['old'], ['old']]);
    await rotateKey(rotation);
    expect(all[0]?.keys.toSorted()).toEqual(['an operator', 'new-1']);
  });

  it('keeps the old password while something is at work, and goes on later', async () => {
    const { secret, all, rotation } = world();
    const busy = { ...rotation, atWork: async () => ['backup b is running'] };
    await expect(rotateKey(busy)).rejects.toThrow('the old passwords are kept: backup b is running');
    expect(keysOf(all)).toEqual([
      ['old', 'new-1'],
      ['old', 'new-1'],
      ['old', 'new-1'],
    ]);
    expect(secret.labels().current).toBe('new-1');
    await rotateKey(rotation);
    expect(keysOf(all)).toEqual([['new-1'], ['new-1'], ['new-1']]);
  });

  it('changes no secret as long as one repository cannot be opened, and names it', async () => {
    const { secret, rotation } = world([['old'], ['a thief’s'], ['old']]);
    await expect(rotateKey(rotation)).rejects.toThrow('no password (current, pending) opens repository-1.');
    expect(secret.labels()).toEqual({ current: 'old', pending: 'new-1' });
  });

  it('ends although a key will not go', async () => {
    const { all, rotation } = world();
    (all[0] as MemoryKeys).remove = async () => undefined;
    await expect(rotateKey(rotation)).rejects.toThrow('still has keys of the previous password');
  });
});
