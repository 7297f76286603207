/**
 * Label selectors in kubectl's syntax: `app=web,tier in (a, b),!old`. The grammar is that of
 * k8s.io/apimachinery/pkg/labels without `>` and `<`, the numeric comparisons.
 */
export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent';
  readonly values: readonly string[];
}

const KEY = String.raw`(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?`;
const VALUE = String.raw`(?:[A-Za-z0-9](?:[-\w.]{0,61}[A-Za-z0-9])?)?`;
const SET = new RegExp(String.raw`^(${KEY})\s+(in|notin)\s+\(\s*(${VALUE}(?:\s*,\s*${VALUE})*)\s*\)$`);
const EQUALITY = new RegExp(String.raw`^(${KEY})\s*(==?|!=)\s*(${VALUE})$`);
const PRESENCE = new RegExp(String.raw`^(!?)\s*(${KEY})$`);

/** Why a selector is invalid, as a readable message; undefined if it is valid. */
export function selectorProblem(text: string): string | undefined {
  try {
    parseSelector(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Requirements of a selector, all of which must hold. Throws a SyntaxError that names the invalid one. */
export function parseSelector(text: string): Requirement[] {
  // A comma inside parentheses separates values, one outside separates requirements.
  return text.split(/,(?![^(]*\))/).map((part) => parseRequirement(part.trim()));
}

function parseRequirement(text: string): Requirement {
  const set = SET.exec(text);
  if (set) {
    const values = (set[3] as string).split(',').map((v) => v.trim());
    return { key: set[1] as string, operator: set[2] as 'in' | 'notin', values };
  }
  const equality = EQUALITY.exec(text);
  if (equality) {
    const operator = equality[2] === '!=' ? 'notin' : 'in';
    return { key: equality[1] as string, operator, values: [equality[3] as string] };
  }
  const presence = PRESENCE.exec(text);
  if (presence)
    return { key: presence[2] as string, operator: presence[1] ? 'absent' : 'exists', values: [] };
  throw new SyntaxError(text === '' ? 'a requirement is empty' : `"${text}" is not a requirement`);
}

/** Whether labels satisfy all requirements. As in Kubernetes, `notin` and `!=` hold for objects without the label. */
export function matchesSelector(
  requirements: readonly Requirement[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === 'exists') return value !== undefined;
    if (operator === 'absent') return value === undefined;
    const among = value !== undefined && values.includes(value);
    return operator === 'in' ? among : !among;
  });
}
