/**
 * The layout of the vault: the only place that builds and parses its keys. The first segment tells which other tools read
 * the object: `velero/` is a BackupStorageLocation of Velero, `restic/` holds repositories for plain restic.
 */

const enc = (segment: string): string => {
  if (segment === '' || segment.includes('/'))
    throw new RangeError(`"${segment}" cannot be a segment of a vault key`);
  return segment;
};

/** Keys of one cluster. */
export function vaultKeys(cluster: string) {
  const c = enc(cluster);
  const veleroDir = (backup: string) => `velero/${c}/backups/${enc(backup)}/`;
  const recordDir = (backup: string) => `records/${c}/${enc(backup)}/`;
  const exportDir = (backup: string) => `exports/${c}/${enc(backup)}/`;
  const restoreDir = (restore: string) => `restores/${c}/${enc(restore)}/`;
  const pruneDir = (prune: string) => `records/${c}/_prune/${enc(prune)}/`;
  const verifyDir = (run: string) => `records/${c}/_verify/${enc(run)}/`;
  return {
    velero: {
      root: `velero/${c}/backups/`,
      dir: veleroDir,
      archive: (b: string) => `${veleroDir(b)}${b}.tar.gz`,
      backup: (b: string) => `${veleroDir(b)}velero-backup.json`,
      resourceList: (b: string) => `${veleroDir(b)}${b}-resource-list.json.gz`,
      results: (b: string) => `${veleroDir(b)}${b}-results.gz`,
      volumeInfo: (b: string) => `${veleroDir(b)}${b}-volumeinfo.json.gz`,
    },
    restic: {
      root: `restic/${c}/`,
      repository: (namespace: string) => `restic/${c}/${enc(namespace)}`,
    },
    records: {
      root: `records/${c}/`,
      dir: recordDir,
      /** The commit marker: a recovery point exists if its record exists. */
      record: (b: string) => `${recordDir(b)}record.json`,
      work: (b: string) => `${recordDir(b)}work.json`,
      resources: (b: string) => `${recordDir(b)}resources.json`,
      /** One fingerprint per object, with which the next backup computes its changes. */
      fingerprints: (b: string) => `${recordDir(b)}fingerprints.json.gz`,
      volumeDir: (b: string) => `${recordDir(b)}volumes/`,
      volume: (b: string, id: string) => `${recordDir(b)}volumes/${enc(id)}.json`,
      hook: (b: string, id: string) => `${recordDir(b)}hooks/${enc(id)}.json`,
      controlPlaneDir: (b: string) => `${recordDir(b)}control-plane/`,
      controlPlane: (b: string, id: string) => `${recordDir(b)}control-plane/${enc(id)}.json`,
      /** Progress of the volume Jobs while they run. */
      progress: (b: string) => `${recordDir(b)}progress.json`,
      replica: (b: string) => `${recordDir(b)}replica.json`,
      /** Until when this copy of the recovery point cannot be removed. Each copy has its own. */
      lock: (b: string) => `${recordDir(b)}lock.json`,
      prune: {
        root: `records/${c}/_prune/`,
        /** What a run removes. The run is incomplete until `done` exists. */
        plan: (p: string) => `${pruneDir(p)}plan.json`,
        done: (p: string) => `${pruneDir(p)}done.json`,
        /** What a dry run would remove, or a run that was refused. */
        report: (p: string) => `${pruneDir(p)}report.json`,
        /** The snapshots of a repository that must be there after the run's Job. */
        keeps: (p: string, namespace: string) => `${pruneDir(p)}keeps/${enc(namespace)}.json`,
        jobDir: (p: string) => `${pruneDir(p)}jobs/`,
        job: (p: string, id: string) => `${pruneDir(p)}jobs/${enc(id)}.json`,
      },
      verify: {
        root: `records/${c}/_verify/`,
        run: (v: string) => `${verifyDir(v)}run.json`,
        cursor: (v: string) => `${verifyDir(v)}place.json`,
        findingsDir: (v: string) => `${verifyDir(v)}findings/`,
        findings: (v: string, id: string) => `${verifyDir(v)}findings/${enc(id)}.json`,
        jobDir: (v: string) => `${verifyDir(v)}jobs/`,
        job: (v: string, id: string) => `${verifyDir(v)}jobs/${enc(id)}.json`,
        /** Written last. */
        report: (v: string) => `${verifyDir(v)}report.json`,
      },
    },
    /** Intermediate objects of a split export; removed when it is joined. */
    exports: {
      dir: exportDir,
      plan: (b: string) => `${exportDir(b)}plan.json`,
      shards: (b: string) => `${exportDir(b)}shards.json`,
      part: (b: string, shard: number) => `${exportDir(b)}${shard}.tar.gz`,
      tally: (b: string, shard: number) => `${exportDir(b)}${shard}.tally.json.gz`,
    },
    restores: {
      root: `restores/${c}/`,
      dir: restoreDir,
      plan: (r: string) => `${restoreDir(r)}plan.json`,
      items: (r: string) => `${restoreDir(r)}plan.jsonl`,
      applied: (r: string, stage: number) => `${restoreDir(r)}applied-${stage}.jsonl`,
      volumeDir: (r: string) => `${restoreDir(r)}volumes/`,
      volume: (r: string, id: string) => `${restoreDir(r)}volumes/${enc(id)}.json`,
      /** When its objects were all written: waiting for them counts from then. */
      written: (r: string) => `${restoreDir(r)}written.json`,
      report: (r: string) => `${restoreDir(r)}report.json`,
    },
    /** What a run has in the cluster now: one document per Job, snapshot and temporary claim. */
    runs: {
      root: `runs/${c}/`,
      dir: (run: string) => `runs/${c}/${enc(run)}/`,
    },
    /** In the replica: the proven versions, one inventory per folder of a repository. `config` has no inventory. */
    inventory: (folder: string): string | undefined => {
      const parts = /^restic\/([^/]+)\/([^/]+)\/([a-z]+)\/$/.exec(folder);
      return parts?.[1] === c ? `inventories/${c}/${parts[2]}/${parts[3]}.gz` : undefined;
    },
    leases: {
      root: `leases/${c}/`,
      backup: (plan: string) => `leases/${c}/backup-${enc(plan)}.json`,
      restore: `leases/${c}/restore.json`,
      prune: `leases/${c}/prune.json`,
      /** Leases of replications. They exclude a prune run. */
      replicateRoot: `leases/${c}/replicate-`,
      replicate: (plan: string) => `leases/${c}/replicate-${enc(plan)}.json`,
    },
  };
}

export type VaultKeys = ReturnType<typeof vaultKeys>;

/** Name of the backup whose record directory a key of `records/<cluster>/` is in; undefined for other keys. */
export function backupOfRecordKey(cluster: string, key: string): string | undefined {
  const name = /^records\/([^/]+)\/([a-z0-9][^/]*)\//.exec(key);
  return name?.[1] === cluster ? name[2] : undefined;
}

/** Roots of a cluster's objects that a rewind restores, without the state of running work. */
const REWOUND = ['records', 'velero', 'restic'] as const;
export const rewoundPrefixes = (cluster: string): string[] =>
  REWOUND.map((root) => `${root}/${enc(cluster)}/`);

/** What a rewound key belongs to: a backup, or the repository of a namespace. */
export interface RewoundPart {
  readonly root: (typeof REWOUND)[number];
  readonly name: string;
  /** It is the commit marker. */
  readonly marker: boolean;
}

/** Parses a key for a rewind; undefined for keys that it leaves unchanged, such as restic's locks and lock.json. */
export function rewoundPart(key: string): RewoundPart | undefined {
  const [, root, name = '', rest = ''] =
    /^(records|velero|restic)\/[^/]+\/(?:backups\/)?([^/]*)(?:\/(.*))?$/s.exec(key) ?? [];
  if (root === 'restic') return rest.startsWith('locks/') ? undefined : { root, name, marker: false };
  if (root === 'velero') return { root, name, marker: false };
  if (root !== 'records' || rest === 'lock.json') return undefined;
  return { root, name, marker: rest === 'record.json' };
}

/** Keys that Holdfast reads in a Velero bucket. `prefix` is empty or ends with a slash. */
export function veleroKeys(prefix: string) {
  const dir = (backup: string) => `${prefix}backups/${enc(backup)}/`;
  return {
    root: `${prefix}backups/`,
    archive: (b: string) => `${dir(b)}${b}.tar.gz`,
    backup: (b: string) => `${dir(b)}velero-backup.json`,
    resourceList: (b: string) => `${dir(b)}${b}-resource-list.json.gz`,
  };
}

export type VeleroKeys = ReturnType<typeof veleroKeys>;
