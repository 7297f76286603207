import { applyPatch, type Operation } from 'rfc6902';
import { matchesSelector, parseSelector } from '../../contract/label-selector.ts';
import type { ResourceModifier, RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { mergePatch } from '../bytes/merge-patch.ts';
import { matchesGlob, namesType } from '../kubernetes/patterns.ts';
import { podSpecOf } from '../kubernetes/pod-spec.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { cleanForRestore } from './clean.ts';
import { typeOfItem } from './restore-plan.ts';

/** Origin of a restored object, for its labels. */
export interface Origin {
  readonly backup: string;
  readonly restore: string;
}

/**
 * Transforms an archived object for the API server: cleans it, applies the mappings, then the resource modifiers.
 * Modifies `object`. Throws RangeError if a modifier cannot be applied.
 */
export function transform(
  at: ArchivedName,
  object: KubeObject,
  options: RestoreOptions,
  origin: Origin,
): KubeObject {
  const cleaned = cleanForRestore(at, object, origin, options.preserveNodePorts ?? false);
  mapNamespaces(at, cleaned, options.namespaceMapping ?? {});
  mapStorageClass(at, cleaned, options.storageClassMapping ?? {});
  mapImages(cleaned, options.imageRegistryMapping ?? {});
  return (options.resourceModifiers ?? []).reduce((o, rule, i) => modify(at, o, rule, i), cleaned);
}

/** Name and namespace of an archived object after the mapping. */
export function targetOf(at: ArchivedName, options: RestoreOptions): ArchivedName {
  const mapped = (name: string) => options.namespaceMapping?.[name] ?? name;
  if (at.groupResource === 'namespaces') return { ...at, name: mapped(at.name) };
  return at.namespace === undefined ? at : { ...at, namespace: mapped(at.namespace) };
}

type Mapping = Readonly<Record<string, string>>;
interface InNamespace {
  kind?: string;
  name?: string;
  namespace?: string;
}

function mapNamespaces({ groupResource }: ArchivedName, object: KubeObject, mapping: Mapping): void {
  if (Object.keys(mapping).length === 0) return;
  const map = (reference: InNamespace | undefined) => {
    const to = reference?.namespace === undefined ? undefined : mapping[reference.namespace];
    if (reference && to !== undefined) reference.namespace = to;
  };
  if (groupResource === 'namespaces')
    object.metadata.name = mapping[object.metadata.name] ?? object.metadata.name;
  map(object.metadata);
  const group = 'system:serviceaccounts:';
  for (const subject of (object.subjects ?? []) as InNamespace[]) {
    map(subject);
    const to =
      subject.kind === 'Group' &&
      subject.name?.startsWith(group) &&
      mapping[subject.name.slice(group.length)];
    if (to) subject.name = group + to;
  }
  for (const hook of (object.webhooks ?? []) as { clientConfig?: { service?: InNamespace } }[])
    map(hook.clientConfig?.service);
  const spec = object.spec as
    | { service?: InNamespace; claimRef?: InNamespace; conversion?: Conversion }
    | undefined;
  if (groupResource === 'apiservices.apiregistration.k8s.io') map(spec?.service);
  if (groupResource === 'persistentvolumes') map(spec?.claimRef);
  if (groupResource === 'customresourcedefinitions.apiextensions.k8s.io')
    map(spec?.conversion?.webhook?.clientConfig?.service);
}
interface Conversion {
  webhook?: { clientConfig?: { service?: InNamespace } };
}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

function mapStorageClass({ groupResource }: ArchivedName, object: KubeObject, mapping: Mapping): void {
  const claims =
    groupResource === 'statefulsets.apps'
      ? ((object.spec?.volumeClaimTemplates ?? []) as KubeObject[])
      : groupResource === 'persistentvolumeclaims' || groupResource === 'persistentvolumes'
        ? [object]
        : [];
  for (const { spec, metadata } of claims) {
    const to = mapping[String(spec?.storageClassName)];
    if (spec && to !== undefined) spec.storageClassName = to;
    const beta = mapping[metadata?.annotations?.[BETA_CLASS] ?? ''];
    if (metadata?.annotations && beta !== undefined) metadata.annotations[BETA_CLASS] = beta;
  }
}

function mapImages(object: KubeObject, mapping: Mapping): void {
  const pod = podSpecOf(object);
  if (!pod || Object.keys(mapping).length === 0) return;
  for (const container of [...(pod.containers ?? []), ...(pod.initContainers ?? [])] as { image?: string }[])
    if (container.image) container.image = mapImage(container.image, mapping);
}

/** The image after the mapping with the longest matching prefix. Short names are resolved to docker.io and docker.io/library. */
export function mapImage(image: string, mapping: Mapping): string {
  const [first = '', ...rest] = image.split('/');
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const full = hasRegistry ? image : `docker.io/${rest.length === 0 ? 'library/' : ''}${image}`;
  const fits = (prefix: string) =>
    full === prefix || full.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
  const [best] = Object.keys(mapping)
    .filter(fits)
    .sort((a, b) => b.length - a.length);
  return best === undefined ? image : `${mapping[best]}${full.slice(best.length)}`;
}

function modify(at: ArchivedName, object: KubeObject, rule: ResourceModifier, index: number): KubeObject {
  const { groupResource, resourceNameRegex, namespaces, labelSelector } = rule.conditions;
  const applies =
    namesType([groupResource], typeOfItem(at)) &&
    (!resourceNameRegex || new RegExp(resourceNameRegex).test(at.name)) &&
    (!namespaces || namespaces.some((p) => matchesGlob(p, at.namespace ?? ''))) &&
    (!labelSelector || matchesSelector(parseSelector(labelSelector), object.metadata.labels ?? {}));
  if (!applies) return object;
  const patches = rule.patches ?? [];
  // As in Velero: a failed `test` operation skips the object and is not an error.
  const tests = patches.filter((p) => p.op === 'test') as Operation[];
  if (applyPatch(structuredClone(object), tests).some((error) => error !== null)) return object;
  const failed = applyPatch(object, patches as Operation[]).find((error) => error !== null);
  if (failed) throw new RangeError(`resourceModifiers[${index}] cannot be applied: ${failed.message}`);
  return (rule.mergePatches ?? []).reduce<KubeObject>(
    (o, patch) => mergePatch(o, patch) as KubeObject,
    object,
  );
}
