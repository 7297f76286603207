import type { Selection } from '../../functions/contract/settings.ts';

/** A selection of everything in some namespaces, but for what is said. */
export const selectionOf = (namespaces: readonly string[], over: Partial<Selection> = {}): Selection => ({
  namespaces: [...namespaces],
  excludedNamespaces: [],
  includedResources: [],
  excludedResources: [],
  includedNamespaceScopedResources: [],
  excludedNamespaceScopedResources: [],
  includedClusterScopedResources: [],
  excludedClusterScopedResources: [],
  orLabelSelectors: [],
  ...over,
});
