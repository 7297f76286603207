import type { Machine } from './names.ts';

/** The identity with which a function accesses the cluster; `none`: it does not access the cluster. */
type ClusterAccess = 'none' | 'backup' | 'restore';

/** Infrastructure settings of one Lambda function. */
export interface FunctionSpec {
  /** `none`: a schedule invokes it. */
  readonly machine: Machine | 'none';
  readonly access: ClusterAccess;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  /** NODE_OPTIONS of the function. */
  readonly nodeOptions?: string;
}

/**
 * Pages stream through an export and become garbage immediately. A small young generation keeps memory nearly constant.
 * The heap holds the code and the names of a few pages: 25 to 35 MiB were measured.
 */
export const STREAMING = '--max-semi-space-size=1 --max-old-space-size=128';

/** Every function of a cluster stack. The key is the folder, and `holdfast-<cluster>-<key>` the function's name. */
export const FUNCTIONS = {
  'open-backup': { machine: 'backup', access: 'backup', memoryMiB: 512, timeoutSeconds: 120 },
  'export-resources': {
    machine: 'backup',
    access: 'backup',
    memoryMiB: 1769,
    timeoutSeconds: 900,
    nodeOptions: STREAMING,
  },
  'export-shard': {
    machine: 'backup',
    access: 'backup',
    memoryMiB: 1769,
    timeoutSeconds: 900,
    nodeOptions: STREAMING,
  },
  'join-export': { machine: 'backup', access: 'backup', memoryMiB: 3538, timeoutSeconds: 900 },
  // Hooks run one after the other, up to five minutes each.
  'reconcile-volumes': { machine: 'backup', access: 'backup', memoryMiB: 512, timeoutSeconds: 900 },
  'reconcile-control-plane': { machine: 'backup', access: 'backup', memoryMiB: 512, timeoutSeconds: 120 },
  // It derives the key of each repository, half a second of a core: 1,000 namespaces take five minutes of two cores.
  'commit-backup': { machine: 'backup', access: 'none', memoryMiB: 3538, timeoutSeconds: 900 },
  'fail-backup': { machine: 'backup', access: 'backup', memoryMiB: 512, timeoutSeconds: 900 },
  'replicate-backup': { machine: 'replicate', access: 'none', memoryMiB: 1769, timeoutSeconds: 900 },
  // It holds what it needs of all records in both copies, and opens repositories, which costs CPU.
  'prune-backups': { machine: 'prune', access: 'none', memoryMiB: 1769, timeoutSeconds: 900 },
  'reconcile-prune': { machine: 'prune', access: 'backup', memoryMiB: 512, timeoutSeconds: 120 },
  'measure-vault': { machine: 'none', access: 'none', memoryMiB: 512, timeoutSeconds: 120 },
  'verify-vault': { machine: 'verify', access: 'none', memoryMiB: 1769, timeoutSeconds: 900 },
  'reconcile-verify': { machine: 'verify', access: 'backup', memoryMiB: 512, timeoutSeconds: 120 },
  'extend-locks': { machine: 'lock', access: 'none', memoryMiB: 1769, timeoutSeconds: 900 },
  'plan-restore': { machine: 'restore', access: 'restore', memoryMiB: 1769, timeoutSeconds: 900 },
  'apply-resources': { machine: 'restore', access: 'restore', memoryMiB: 1769, timeoutSeconds: 900 },
  'reconcile-restore-volumes': { machine: 'restore', access: 'restore', memoryMiB: 512, timeoutSeconds: 120 },
  'verify-restore': { machine: 'restore', access: 'restore', memoryMiB: 1769, timeoutSeconds: 900 },
  'fail-restore': { machine: 'restore', access: 'restore', memoryMiB: 512, timeoutSeconds: 120 },
} as const satisfies Record<string, FunctionSpec>;

export type FunctionName = keyof typeof FUNCTIONS;
export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];

/** Path of the handler below functions/: in the folder of its machine, or in `measure` if only a schedule invokes it. */
export function handlerFile(name: FunctionName): string {
  const { machine } = FUNCTIONS[name];
  return `${machine === 'none' ? 'measure' : machine}/${name}/handler.ts`;
}

/** Name of the Lambda function in AWS. */
export function lambdaName(cluster: string, name: FunctionName): string {
  return `holdfast-${cluster}-${name}`;
}

/** The placeholder of a function's ARN in the ASL files: `open-backup` is `${OpenBackupArn}`. */
export function arnPlaceholder(name: FunctionName): string {
  return `${name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')}Arn`;
}
