import * as z from 'zod/mini';
import type { ServedType } from '../../core/kubernetes/served.ts';

/** The documents of discovery. An aggregated API writes some of them, so they are validated. */

/** Asks for all groups in one document; a server that does not know it answers with the list of groups. */
export const AGGREGATED_MEDIA_TYPE = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

/** A version of a group in discovery. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
  /** Absent: its types have to be asked for, because the document does not have them, or has old ones. */
  readonly types?: ServedType[] | undefined;
}

const Verbs = z.pipe(
  z.nullish(z.array(z.string())),
  z.transform((verbs) => verbs ?? []),
);

const AggregatedType = z.object({
  resource: z.string(),
  responseKind: z.nullish(z.object({ kind: z.string() })),
  scope: z.optional(z.string()),
  verbs: Verbs,
  subresources: z.nullish(z.array(z.object({ subresource: z.string() }))),
});

const AggregatedDocument = z.object({
  kind: z.literal('APIGroupDiscoveryList'),
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      versions: z.nullish(
        z.array(
          z.object({
            version: z.string(),
            freshness: z.optional(z.string()),
            resources: z.nullish(z.array(AggregatedType)),
          }),
        ),
      ),
    }),
  ),
});

const Group = z.object({
  name: z.string(),
  versions: z.array(z.object({ version: z.string() })),
  preferredVersion: z.nullish(z.object({ version: z.string() })),
});

const GroupList = z.object({ groups: z.array(Group) });

const ResourceList = z.object({
  resources: z.nullish(
    z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: Verbs })),
  ),
});

const parse = <T extends z.ZodMiniType>(shape: T, body: Buffer): z.infer<T> =>
  z.parse(shape, JSON.parse(body.toString('utf8')));

/** All versions of all groups of `/apis`, a group's preferred version first. */
export function readGroups(body: Buffer): GroupVersion[] {
  const document = JSON.parse(body.toString('utf8')) as { kind?: unknown };
  if (document.kind === 'APIGroupDiscoveryList') return aggregated(z.parse(AggregatedDocument, document));
  return z.parse(GroupList, document).groups.flatMap(versionsOf);
}

/** All versions of one group, of `/apis/<group>`. */
export const readGroup = (body: Buffer): GroupVersion[] => versionsOf(parse(Group, body));

function versionsOf({ name, versions, preferredVersion }: z.infer<typeof Group>): GroupVersion[] {
  const all = [...(preferredVersion ? [preferredVersion] : []), ...versions].map((v) => v.version);
  return [...new Set(all)].map((version) => ({ group: name, version }));
}

function aggregated({ items }: z.infer<typeof AggregatedDocument>): GroupVersion[] {
  return items.flatMap(({ metadata: { name: group }, versions }) =>
    (versions ?? []).map(({ version, freshness, resources }) => ({
      group,
      version,
      // The types of a stale version are those of an earlier time, or none.
      types:
        freshness === 'Stale'
          ? undefined
          : (resources ?? []).flatMap(({ resource, responseKind, scope, verbs, subresources }) =>
              responseKind?.kind
                ? {
                    group,
                    version,
                    resource,
                    kind: responseKind.kind,
                    namespaced: scope === 'Namespaced',
                    verbs,
                    hasStatus: (subresources ?? []).some((s) => s.subresource === 'status'),
                  }
                : [],
            ),
    })),
  );
}

/** The types of one version of a group, of `/apis/<group>/<version>` or `/api/v1`. */
export function readTypes(group: string, version: string, body: Buffer): ServedType[] {
  const resources = parse(ResourceList, body).resources ?? [];
  const names = new Set(resources.map((r) => r.name));
  return resources
    .filter((r) => !r.name.includes('/'))
    .map(({ name, kind, namespaced, verbs }) => ({
      group,
      version,
      resource: name,
      kind,
      namespaced,
      verbs,
      hasStatus: names.has(`${name}/status`),
    }));
}
