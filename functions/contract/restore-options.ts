import * as z from 'zod/mini';
import { selectorProblem } from './label-selector.ts';

const dnsName = z.string().check(z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be a DNS-1123 label'));
const pattern = z.string().check(z.regex(/^[-a-z0-9.*?/]+$/, 'must be a name or a pattern with * and ?'));
/** Types: upper case is read, so that the plan can tell the name that is meant. */
const typePattern = z
  .string()
  .check(z.regex(/^[-A-Za-z0-9.*?/]+$/, 'must be the name of a type or a pattern with * and ?'));
/** An object's identity or a pattern. Names of RBAC objects may have any character. */
const objectPattern = z
  .string()
  .check(z.regex(/^[^\p{Cc}]+$/u, 'must be plural.group/[namespace/]name or a pattern with * and ?'));
const regex = z.string().check(
  z.refine((text) => regexProblem(text) === undefined, {
    error: (issue) => `is not a regular expression: ${regexProblem(String(issue.input))}`,
  }),
);
const selector = z.string().check(
  z.refine((text) => selectorProblem(text) === undefined, {
    error: (issue) => `is not a label selector: ${selectorProblem(String(issue.input))}`,
  }),
);

function regexProblem(text: string): string | undefined {
  try {
    new RegExp(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const pointer = z
  .string()
  .check(
    z.regex(
      /^(\/([^~/]|~[01])*)*$/,
      'must be a JSON pointer, like /spec/replicas; / in a name is ~1, ~ is ~0',
    ),
  );

/** One JSON patch operation (RFC 6902). */
const Operation = z
  .strictObject({
    op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']),
    path: pointer,
    from: z.optional(pointer),
    value: z.optional(z.unknown()),
  })
  .check(
    z.refine((o) => !['add', 'replace', 'test'].includes(o.op) || Object.hasOwn(o, 'value'), {
      path: ['value'],
      error: 'is missing: add, replace and test need one',
    }),
    z.refine((o) => !['move', 'copy'].includes(o.op) || o.from !== undefined, {
      path: ['from'],
      error: 'is missing: move and copy need one',
    }),
  );

/** A rule that changes objects on their way into the cluster, as Velero's resource modifiers. */
export const ResourceModifier = z.strictObject({
  conditions: z.strictObject({
    /** `plural.group`, a plural, or a pattern. */
    groupResource: typePattern,
    resourceNameRegex: z.optional(regex),
    namespaces: z.optional(z.array(pattern)),
    labelSelector: z.optional(selector),
  }),
  patches: z.optional(z.array(Operation)),
  /** JSON merge patches (RFC 7386), applied after `patches`. */
  mergePatches: z.optional(z.array(z.record(z.string(), z.unknown()))),
});
export type ResourceModifier = z.infer<typeof ResourceModifier>;

/** Files of one volume to restore into the existing claim of the same name. */
export const RestoreFiles = z.strictObject({
  /** `namespace/claim`. */
  volume: z.string().check(z.regex(/^[-a-z0-9]+\/[-a-z0-9.]+$/, 'must be namespace/claim')),
  /** Files and folders relative to the volume's root, with a leading slash; restic patterns. */
  include: z.array(z.string().check(z.regex(/^\//, 'must begin with a slash'))).check(z.minLength(1)),
  /** Target folder in the volume; `/` overwrites existing files. Default: a new folder. */
  to: z.optional(
    z.string().check(z.regex(/^\/([^/]+(\/[^/]+)*)?$/, 'must be a folder that begins with a slash')),
  ),
});
export type RestoreFiles = z.infer<typeof RestoreFiles>;

/** Default of a restore's `waitSeconds`, as Velero's for terminating namespaces. */
export const WAIT_SECONDS = 600;

const options = {
  /** What to do with an object that the cluster already has. */
  existingResources: z.optional(z.enum(['skip', 'update', 'fail'])),
  includedResources: z.optional(z.array(typePattern)),
  excludedResources: z.optional(z.array(typePattern)),
  includeClusterResources: z.optional(z.boolean()),
  labelSelector: z.optional(selector),
  orLabelSelectors: z.optional(z.array(selector)),
  /** Original namespace -> target namespace. */
  namespaceMapping: z.optional(
    z.record(dnsName, dnsName).check(
      z.refine((mapping) => new Set(Object.values(mapping)).size === Object.keys(mapping).length, {
        error: 'maps two namespaces to one: their objects would have the same names',
      }),
    ),
  ),
  /** Original storage class -> target storage class. */
  storageClassMapping: z.optional(z.record(z.string(), z.string())),
  /** Prefix of an image name -> its replacement. */
  imageRegistryMapping: z.optional(z.record(z.string(), z.string())),
  resourceModifiers: z.optional(z.array(ResourceModifier)),
  /** Types whose status is restored too. */
  restoreStatus: z.optional(z.array(typePattern)),
  preserveNodePorts: z.optional(z.boolean()),
  /** Seconds that a restore waits for something that may pass: a terminating namespace, a webhook without pods. Default: 600. */
  waitSeconds: z.optional(z.int().check(z.nonnegative(), z.maximum(7200))),
  /** Privileged objects that are restored without being held for approval: `plural.group/[namespace/]name`, or patterns. */
  allow: z.optional(z.array(objectPattern)),
  /** Restores only files of a volume, and no objects. */
  files: z.optional(RestoreFiles),
} as const;

/** Which objects a restore selects and how it changes them. Stored in its plan, so that all steps use the same options. */
export const RestoreOptions = z.strictObject(options);
export type RestoreOptions = z.infer<typeof RestoreOptions>;

/** Input of the restore machine. */
export const RestoreInput = z
  .strictObject({
    /** Name of a recovery point, or `latest`: the newest Completed one. */
    backup: z.string(),
    /** Narrows `latest` to one plan. */
    plan: z.optional(dnsName),
    /** Only these namespaces, by name or pattern; all of the recovery point when absent. */
    namespaces: z.optional(z.array(pattern)),
    /** Which copy to read: `primary`, `replica`, or a Velero source by name. */
    from: z.optional(dnsName),
    volumes: z.optional(z.boolean()),
    /** Accepts a recovery point whose record has no signature. An invalid signature is never accepted. */
    allowUnsigned: z.optional(z.boolean()),
    dryRun: z.optional(z.boolean()),
    ...options,
  })
  .check(
    z.refine((input) => !input.labelSelector || (input.orLabelSelectors ?? []).length === 0, {
      path: ['orLabelSelectors'],
      error: 'cannot be used together with labelSelector',
    }),
  );
export type RestoreInput = z.infer<typeof RestoreInput>;

/** The RestoreOptions in an input. */
export const optionsOf = (input: RestoreInput): RestoreOptions => z.parse(z.object(options), input);
