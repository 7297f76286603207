import type { ResourceType } from './resources.ts';

/** A type as an API server serves it in one version. */
export interface ServedType extends ResourceType {
  /** What the type can do: `get`, `list`, `create`, … */
  readonly verbs: readonly string[];
  /** Whether its status is a subresource, which only `<object>/status` writes. */
  readonly hasStatus: boolean;
}

/** What an API server serves, by `plural[.group]`: every served version of the type, the preferred one first. */
export type Served = ReadonlyMap<string, readonly ServedType[]>;
