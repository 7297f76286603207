import { groupResource, type ResourceType } from '../kubernetes/resources.ts';

/**
 * Paths inside a backup's tar.gz: Velero backup format 1.1.0. Every object is stored twice, once below its
 * resource and once below `<version>-preferredversion`. Each file contains one JSON object.
 */
export const FORMAT_VERSION = '1.1.0';
export const VERSION_ENTRY = { path: 'metadata/version', content: `${FORMAT_VERSION}\n` } as const;

/** Velero's extractor gives a parent directory the mode of its file, so files must be executable. */
export const ENTRY_MODE = 0o755;

/** Largest object of an archive. The default limit of etcd is 1.5 MiB, that of a request to an API server 3 MiB. */
export const MAX_ENTRY_BYTES = 16 * 1024 * 1024;
/** Longest path of an object. Names have at most 253 characters. */
export const MAX_PATH_BYTES = 2048;

/** Identity of an object in an archive. */
export interface ArchivedName {
  readonly groupResource: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

const scope = (namespace: string | undefined) => (namespace ? `namespaces/${namespace}` : 'cluster');

/** Both paths of an object: `[plain, preferred version]`. */
export function entryPaths(type: ResourceType, name: string, namespace?: string): [string, string] {
  const root = `resources/${groupResource(type)}`;
  const tail = `${scope(namespace)}/${name}.json`;
  return [`${root}/${tail}`, `${root}/${type.version}-preferredversion/${tail}`];
}

/** `resources/<plural[.group]>/[<folder>/]{cluster|namespaces/<ns>}/<name>.json` */
const ENTRY = /^resources\/([^/\0]+)\/(?:([^/\0]+)\/)?(?:cluster|namespaces\/([^/\0]+))\/([^/\0]+)\.json$/;
const PREFERRED = /^(.+)-preferredversion$/;

/** Parts of an object's path: type, folder, namespace, name. Undefined if it is not such a path, or has `.` or `..` segments. */
function partsOf(path: string): (string | undefined)[] | undefined {
  const parts = ENTRY.exec(path)?.slice(1);
  return parts?.some((part) => part === '.' || part === '..') ? undefined : parts;
}

/** Whether a path is allowed in an archive: relative, with the depth of the format, and without `.` or `..` segments. */
export function isArchivePath(path: string): boolean {
  return path === VERSION_ENTRY.path || partsOf(path) !== undefined;
}

/** Whether an object with these names can be stored under both of its paths and is found there again. */
export function hasArchivePath(type: ResourceType, name: string, namespace?: string): boolean {
  const [, path] = entryPaths(type, name, namespace);
  if (!path.isWellFormed() || Buffer.byteLength(path) > MAX_PATH_BYTES) return false;
  const at = parsePreferredPath(path);
  return (
    at?.name === name &&
    at.namespace === namespace &&
    at.version === type.version &&
    at.groupResource === groupResource(type)
  );
}

/**
 * The object of a path without a folder, as archives of Velero's format 1 have them; undefined for every other path. The
 * path does not say the version.
 */
export function parsePlainPath(path: string): Omit<ArchivedName, 'version'> | undefined {
  const [groupResource, folder, namespace, name] = partsOf(path) ?? [];
  if (groupResource === undefined || name === undefined || folder !== undefined) return undefined;
  return { groupResource, namespace, name };
}

/** The object of a preferred-version path; undefined for every other path of an archive. */
export function parsePreferredPath(path: string): ArchivedName | undefined {
  const [groupResource = '', folder = '', namespace, name = ''] = partsOf(path) ?? [];
  const version = PREFERRED.exec(folder)?.[1];
  if (version === undefined || version === '.' || version === '..') return undefined;
  return { groupResource, version, namespace, name };
}
