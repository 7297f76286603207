import type { SnapshotFacts } from '../../functions/core/restic/snapshot-file.ts';
import type { Repository } from '../../functions/runtime/repositories.ts';

/** What a test says that a repository has: `paths` by snapshot, of one backup of a cluster. */
export interface SeenSnapshots {
  readonly cluster: string;
  readonly backup: string;
  readonly paths: Readonly<Record<string, string>>;
}

/** Opens repositories that have these snapshots, for tests that are not about reading repositories. */
export function repositoriesWith({ cluster, backup, paths }: SeenSnapshots): () => Promise<Repository> {
  const factsOf = (id: string, path: string): SnapshotFacts => ({
    id,
    time: new Date(0),
    hostname: cluster,
    paths: [path],
    tags: [`backup=${backup}`],
    files: 1,
    bytes: 2,
  });
  return async () => ({
    snapshot: async (id) => {
      const path = paths[id];
      return path === undefined ? undefined : factsOf(id, path);
    },
  });
}
