import { locksContract } from '../../support/locks-contract.ts';
import { MemoryLocks } from '../../support/memory-locks.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { vaultContract } from '../../support/vault-contract.ts';
import { MemoryVersions } from '../../support/versioned-bucket.ts';
import { versionsContract } from '../../support/versions-contract.ts';

// The doubles of other tests keep to the ports as S3 does: test/world/vault-contract.test.ts asks the same of real ones.
vaultContract('memory', async () => {
  const vault = new MemoryVault('memory');
  vault.clock = new Date();
  return vault;
});

locksContract('memory', async () => {
  const locks = new MemoryLocks();
  return {
    locks,
    paged: (pageSize) => new MemoryLocks(pageSize, locks.stored),
    put: async (key) => locks.add(key),
    remove: async (key) => locks.mark(key, true),
    async withoutLocks() {
      const open = new MemoryLocks();
      open.hasLocks = false;
      open.add('x');
      return { locks: open, version: { key: 'x', version: '000000', deleted: false } };
    },
  };
});

versionsContract('memory', async () => {
  const bucket = new MemoryVersions();
  return {
    bucket,
    put: async (key, content) => bucket.put(key, content),
    remove: (key) => bucket.remove([key]),
    content: async (key) => bucket.view()[key],
  };
});
