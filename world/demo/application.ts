import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { differences } from '../../functions/core/restore/compare.ts';
import type { Kubectl } from './kubectl.ts';

/** An application as its manifest says, and what can be asked of it in a cluster. */
export interface Application {
  readonly file: string;
  readonly objects: readonly KubeObject[];
  readonly namespaces: readonly string[];
}

/** Reads a manifest of one or more YAML documents; Lists are opened up. */
export function readApplication(file: string): Application {
  const documents = parseAllDocuments(readFileSync(file, 'utf8')).map((d) => {
    if (d.errors[0]) throw new Error(`${file}: ${d.errors[0].message}`);
    return d.toJS({ intAsBigInt: false }) as (KubeObject & { items?: KubeObject[] }) | null;
  });
  const objects = documents.flatMap((d) => (d === null ? [] : d.kind === 'List' ? (d.items ?? []) : [d]));
  const inNamespaces = objects.map((o) => (o.kind === 'Namespace' ? o.metadata.name : o.metadata.namespace));
  const namespaces = [...new Set(inNamespaces.filter((n): n is string => n !== undefined))];
  if (namespaces.length === 0)
    throw new Error(`${file} contains no namespace: set metadata.namespace in each object`);
  return { file, objects, namespaces };
}

const nameOf = (o: KubeObject) =>
  `${o.kind} ${o.metadata.namespace ? `${o.metadata.namespace}/` : ''}${o.metadata.name}`;

/** Applies the manifest; custom resources of definitions in the same file need a second look at what is served. */
export async function install(kubectl: Kubectl, app: Application): Promise<void> {
  const definitions = app.objects.filter((o) => o.kind === 'CustomResourceDefinition');
  if (definitions.length > 0) {
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: definitions }),
    );
    const names = definitions.map((o) => `crd/${o.metadata.name}`);
    await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...names]);
  }
  await kubectl(['apply', '-f', app.file]);
}

/** Waits until every workload of the manifest is rolled out. */
export async function waitReady(kubectl: Kubectl, app: Application): Promise<void> {
  for (const o of app.objects.filter((x) =>
    ['Deployment', 'StatefulSet', 'DaemonSet'].includes(x.kind ?? ''),
  )) {
    await kubectl([
      'rollout',
      'status',
      `${o.kind}/${o.metadata.name}`,
      '-n',
      o.metadata.namespace ?? '',
      '--timeout=180s',
    ]);
  }
}

/** Fields that the API server moves elsewhere when it stores an object. */
function asStored(object: KubeObject): KubeObject {
  const stored = structuredClone(object);
  delete stored.status;
  const strings = stored.stringData as Record<string, string> | undefined;
  if (strings) {
    const encoded = Object.entries(strings).map(([k, v]) => [k, Buffer.from(v).toString('base64')]);
    stored.data = { ...(stored.data as object), ...Object.fromEntries(encoded) };
    delete stored.stringData;
  }
  return stored;
}

/** Everything of the manifest that the cluster does not have as written. */
export async function compareObjects(kubectl: Kubectl, app: Application): Promise<string[]> {
  const differing: string[] = [];
  for (const object of app.objects) {
    const { namespace, name } = object.metadata;
    const group = object.apiVersion?.includes('/') ? `.${object.apiVersion.replace('/', '.')}` : '';
    const [version, ...rest] = group
      ? [object.apiVersion?.split('/')[1] ?? '', object.apiVersion?.split('/')[0] ?? '']
      : [''];
    const kind = group ? `${object.kind}.${version}.${rest.join('.')}` : (object.kind ?? '');
    const live = await kubectl([
      'get',
      kind,
      name,
      ...(namespace ? ['-n', namespace] : []),
      '-o',
      'json',
      '--ignore-not-found',
    ]);
    if (live.trim() === '') differing.push(`${nameOf(object)} is not there`);
    else
      for (const path of differences(asStored(object), JSON.parse(live)))
        differing.push(`${nameOf(object)}: ${path}`);
  }
  return differing;
}

/** Files of every mounted claim of the application: `namespace/claim:path` -> sha256, mode, owner; links by target. */
export async function fingerprintFiles(kubectl: Kubectl, app: Application): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const namespace of app.namespaces) {
    const { items } = JSON.parse(await kubectl(['get', 'pods', '-n', namespace, '-o', 'json'])) as {
      items: PodOutline[];
    };
    for (const pod of items) {
      for (const volume of pod.spec.volumes ?? []) {
        const claim = volume.persistentVolumeClaim?.claimName;
        const container = pod.spec.containers.find((c) =>
          c.volumeMounts?.some((m) => m.name === volume.name),
        );
        const path = container?.volumeMounts?.find((m) => m.name === volume.name)?.mountPath;
        if (!claim || !container || !path) continue;
        const script = `cd ${path} && find . -type f -exec sha256sum {} + && find . -exec stat -c '%n %F %a %u:%g' {} + && find . -type l -exec readlink -n {} \\; -print`;
        const listing = await kubectl([
          'exec',
          '-n',
          namespace,
          pod.metadata.name,
          '-c',
          container.name,
          '--',
          'sh',
          '-c',
          script,
        ]);
        for (const line of listing.split('\n').filter(Boolean))
          files.set(`${namespace}/${claim}: ${line}`, line);
      }
    }
  }
  return files;
}

interface PodOutline {
  metadata: { name: string };
  spec: {
    volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[];
    containers: { name: string; volumeMounts?: { name: string; mountPath: string }[] }[];
  };
}

/** Lines of one fingerprint that the other lacks, in both directions. */
export function compareFiles(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const lost = [...before.keys()].filter((k) => !after.has(k)).map((k) => `before only: ${k}`);
  const added = [...after.keys()].filter((k) => !before.has(k)).map((k) => `after only: ${k}`);
  return [...lost, ...added];
}

/** The disaster: the namespaces and the definitions of the application are gone, and so is the data of its volumes. */
export async function destroy(kubectl: Kubectl, app: Application): Promise<void> {
  const definitions = app.objects
    .filter((o) => o.kind === 'CustomResourceDefinition')
    .map((o) => o.metadata.name);
  await kubectl(['delete', 'namespace', ...app.namespaces, '--wait=true', '--timeout=180s']);
  if (definitions.length > 0)
    await kubectl(['delete', 'crd', ...definitions, '--wait=true', '--timeout=60s']);
}
