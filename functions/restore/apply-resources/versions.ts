import { discoverServed } from '../../adapters/kubernetes/discovery.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { isBuiltInGroup } from '../../core/kubernetes/built-in.ts';
import { apiVersion, groupResource, type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import type { Served } from '../../core/kubernetes/served.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { typeOfItem } from '../../core/restore/restore-plan.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { whyNotEstablished } from './established.ts';

/** What a restore needs to know about a type of the target cluster. */
export interface TargetType {
  /** Served versions, the preferred one first; undefined if the type is not known. */
  readonly versions: readonly string[] | undefined;
  /** Whether objects can be created. */
  readonly creatable: boolean;
  /** Whether status is a subresource. */
  readonly hasStatus: boolean;
  /** Whether all versions hold the same fields: the definition converts nothing. */
  readonly isUnconverted: boolean;
}

const UNKNOWN: TargetType = { versions: undefined, creatable: true, hasStatus: true, isUnconverted: false };

/** The types of the target cluster. Definitions that the restore creates are looked up when they are asked for. */
export class TargetTypes {
  private readonly cluster: KubeClient;
  private discovery: Promise<Served | undefined> | undefined;
  private readonly known = new Map<string, TargetType>();

  constructor(cluster: KubeClient) {
    this.cluster = cluster;
  }

  /** A type by its `plural[.group]`. What cannot be found out is unknown. */
  async of(at: ArchivedName): Promise<TargetType> {
    const found = this.known.get(at.groupResource) ?? (await this.find(at));
    this.known.set(at.groupResource, found);
    return found;
  }

  /** Looks up types again that were not served. */
  forgetUnknown(): void {
    for (const [name, { versions }] of this.known) if (versions === undefined) this.known.delete(name);
  }

  private async find(at: ArchivedName): Promise<TargetType> {
    this.discovery ??= served(this.cluster);
    const versions = (await this.discovery)?.get(groupResource(typeOfItem(at)));
    const isBuiltIn = isBuiltInGroup(typeOfItem(at).group);
    const definition = isBuiltIn ? undefined : await this.definition(at.groupResource);
    if (definition) return ofDefinition(definition);
    if (!versions || versions.length === 0) return UNKNOWN;
    return {
      versions: versions.map((v) => v.version),
      creatable: versions.some((v) => v.verbs.includes('create')),
      hasStatus: versions.some((v) => v.hasStatus),
      isUnconverted: false,
    };
  }

  private async definition(name: string): Promise<KubeObject | undefined> {
    const { status, body } = await this.cluster.call(
      'GET',
      objectPath(TYPES.customResourceDefinitions, name),
      {
        accept: [403, 404],
      },
    );
    return status === 200 ? (JSON.parse(body.toString('utf8')) as KubeObject) : undefined;
  }
}

/** What the API server serves; undefined if it cannot be found out. */
async function served(cluster: KubeClient): Promise<Served | undefined> {
  try {
    return (await discoverServed(cluster)).served;
  } catch (error) {
    if (error instanceof HoldfastError && error.retryable) throw error;
    return undefined;
  }
}

interface DefinedVersion {
  name: string;
  served?: boolean;
  subresources?: { status?: object };
}

function ofDefinition(definition: KubeObject): TargetType {
  if (whyNotEstablished(definition) !== undefined) return UNKNOWN;
  const { spec } = definition;
  const all = (spec?.versions ?? []) as DefinedVersion[];
  const versions = all.filter((v) => v.served);
  const strategy = (spec?.conversion as { strategy?: string } | undefined)?.strategy ?? 'None';
  return {
    versions: versions.map((v) => v.name),
    creatable: true,
    hasStatus: versions.some((v) => v.subresources?.status !== undefined),
    isUnconverted: strategy === 'None',
  };
}

/** `apps/v1` of an archived name. */
export const apiVersionOf = (at: ArchivedName): string => apiVersion(typeOfItem(at));

/** The versions in which to send an object, best first. */
export interface Candidates {
  readonly versions: readonly string[];
  /** The archived version is not served: fields that a version does not know must not be dropped in silence. */
  readonly strict: boolean;
}

/**
 * The versions in which an object may be sent: the archived one, then those in which its managers wrote it, then the other
 * served ones, if all versions hold the same fields. If the archived version is not served, all served ones.
 */
export function candidatesOf(at: ArchivedName, archived: KubeObject, type: TargetType): Candidates {
  const { versions, isUnconverted } = type;
  if (versions === undefined) return { versions: [at.version], strict: false };
  if (!versions.includes(at.version)) return { versions, strict: true };
  if (!isUnconverted) return { versions: [at.version], strict: false };
  const group = typeOfItem(at).group;
  const entries = Array.isArray(archived.metadata.managedFields) ? archived.metadata.managedFields : [];
  const written = (entries as ({ apiVersion?: unknown } | null)[]).flatMap((e) => {
    const [of, version] = String(e?.apiVersion ?? '').split('/');
    return of === group && version !== undefined && versions.includes(version) ? [version] : [];
  });
  return { versions: [...new Set([at.version, ...written, ...versions])], strict: false };
}
