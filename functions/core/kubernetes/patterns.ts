import { groupResource, type ResourceType } from './resources.ts';

/** A pattern of `*` and `?` as Velero and shells use it, matching the whole text. */
export function matchesGlob(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`).test(text);
}

export const isGlob = (text: string): boolean => /[*?]/.test(text);

/** Whether one of the patterns names the type, by `plural.group` or by its plural alone. */
export function namesType(
  patterns: readonly string[],
  type: Pick<ResourceType, 'group' | 'resource'>,
): boolean {
  return patterns.some((p) => matchesGlob(p, groupResource(type)) || matchesGlob(p, type.resource));
}
