import { HELD_POWERS, POWERS } from '../../functions/core/restore/dangerous-powers.ts';
import { FLUX, HELD_TYPES } from '../../functions/core/restore/dangerous-types.ts';
import { BASELINE, BASELINE_OF } from '../../functions/core/restore/pod-security.ts';
import { CASES } from './privileged-cases.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`.replace(/\| (---) (?=\|)/g, '|$1'))
    .join('\n');
const code = (names: readonly string[]): string =>
  names.map((name) => (name === '' ? 'core' : `\`${name}\``)).join(', ');

/** The tables of docs/privileged-objects.md, by their markers, from the code and its cases. */
const TABLES: Readonly<Record<string, () => string>> = {
  powers: () =>
    table(
      ['it lets somebody', 'groups', 'resources', 'verbs', 'in every namespace'],
      POWERS.filter((power) => !HELD_POWERS.includes(power)).map(
        ({ can, groups, resources, verbs, anywhere }) => [
          can.replaceAll('{of}', 'the cluster or namespace'),
          code(groups),
          code(resources),
          code(verbs),
          anywhere ? 'yes' : '',
        ],
      ),
    ),
  baseline: () =>
    table(
      [`check of ${BASELINE_OF}`, 'allowed'],
      BASELINE.map(({ id, allows }) => [`\`${id}\``, allows]),
    ),
  'held-types': () =>
    table(
      ['group', 'types', 'why'],
      [
        ...HELD_TYPES.map(({ group, resources, why }) => [
          `\`${group}\``,
          resources ? code(resources) : 'all',
          why,
        ]),
        ...FLUX.map(({ group, resources = [], why }) => [
          `\`${group}\``,
          `${code(resources)} without \`serviceAccountName\``,
          why,
        ]),
      ],
    ),
  'let-through': () =>
    table(
      ['object', 'why'],
      CASES.flatMap(({ what, through }) =>
        through === undefined ? [] : [[what.replace(/: \d+ /, ': '), through]],
      ),
    ),
};

/** The page with the tables as they must be. */
export function withTables(page: string): string {
  return Object.entries(TABLES)
    .reduce((text, [name, of]) => {
      const place = new RegExp(`(<!-- ${name}: .* -->\n)[^]*?(<!-- /${name} -->)`);
      if (!place.test(text)) throw new Error(`docs/privileged-objects.md has no place for the table ${name}`);
      return text.replace(place, (_, begin: string, end: string) => `${begin}${of()}\n${end}`);
    }, page)
    .replace(/of Kubernetes (BASELINE|v\d+\.\d+)(?=\. All kinds)/, `of Kubernetes ${BASELINE_OF}`);
}
