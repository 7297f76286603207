import { isRecord, type JsonRecord } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { entriesField, recordField, recordsField, textField, textsField } from './strict-fields.ts';
import { isSystemNamespace } from './system-namespaces.ts';

/** A volume is a way around the check of pods: they mount a path of a node as a claim. @throws OddField. */
export function volumeDanger(object: KubeObject): string | undefined {
  const spec = recordField(object, 'spec');
  const path = ['hostPath', 'local'].find((source) => spec[source] != null);
  if (path) return `it is a path of a node (${path})`;
  if (spec.flexVolume != null) return 'it has a program of the node mount it (flexVolume)';
  const claimed = textField(recordField(spec, 'claimRef'), 'namespace');
  if (claimed !== undefined && isSystemNamespace(claimed)) return `it is the volume of a claim in ${claimed}`;
  const other = secretNamespaces(spec).find((namespace) => namespace !== claimed);
  return (
    other && `it is mounted with a Secret of ${other}, ${claimed ? `not of ${claimed}` : 'for any claim'}`
  );
}

/** Namespaces of the Secrets of a volume's driver: those of `…SecretRef`, and Azure's `secretNamespace`. */
function secretNamespaces(spec: JsonRecord): string[] {
  const sources = Object.values(spec).filter(isRecord);
  return sources.flatMap((source) => [
    ...Object.keys(source)
      .filter((field) => /secretref$/i.test(field))
      .flatMap((field) => textField(recordField(source, field), 'namespace') ?? []),
    ...(textField(source, 'secretNamespace') ?? '').split('\n').filter(Boolean),
  ]);
}

/** A class whose volumes or snapshots use the Secrets of a namespace, whoever claims them. @throws OddField. */
export function classDanger(object: KubeObject): string | undefined {
  const fixed = entriesField(object, 'parameters').find(
    ([name, value]) => /secret-?namespace$/i.test(name) && value !== '' && !value.includes('${'),
  );
  return fixed && `its driver uses Secrets of ${fixed[1]} for the claims of everybody (${fixed[0]})`;
}

/** A driver that gets tokens of accounts, or that pods have mount without a claim. @throws OddField. */
export function driverDanger(object: KubeObject): string | undefined {
  const spec = recordField(object, 'spec');
  if (recordsField(spec, 'tokenRequests').length > 0)
    return 'its driver gets tokens of the accounts of pods (tokenRequests)';
  return textsField(spec, 'volumeLifecycleModes').includes('Ephemeral')
    ? 'pods have its driver mount volumes past every claim (Ephemeral)'
    : undefined;
}

/** A claim of devices that are in use by others. @throws OddField. */
export function deviceDanger(spec: JsonRecord): string | undefined {
  const requests = recordsField(recordField(spec, 'devices'), 'requests');
  const all = requests.flatMap((r) => [r, recordField(r, 'exactly'), ...recordsField(r, 'firstAvailable')]);
  return all.some((r) => r.adminAccess != null && r.adminAccess !== false)
    ? 'it reaches devices that others use (adminAccess)'
    : undefined;
}
