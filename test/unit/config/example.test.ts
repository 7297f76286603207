import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonSchema } from '../../../infra/config/json-schema.ts';
import { loadConfig } from '../../../infra/config/load.ts';

const root = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

/** Names of all options of a JSON Schema. */
function optionsOf(schema: object): Set<string> {
  return new Set(
    Object.entries(schema).flatMap(([key, value]) => {
      if (typeof value !== 'object' || value === null) return [];
      const names = key === 'properties' ? Object.keys(value) : [];
      return [...names, ...optionsOf(value)];
    }),
  );
}

test('holdfast.example.yaml is a configuration', () => {
  const file = new URL('../../../holdfast.example.yaml', import.meta.url).pathname;
  expect(loadConfig(file).clusters.map((c) => c.access.kind)).toEqual(['kubeconfig', 'eks']);
});

test('holdfast.schema.json is what `npm run schema` writes now', () => {
  expect(root('holdfast.schema.json')).toBe(jsonSchema());
});

test('the example names its schema and shows every option', () => {
  const text = root('holdfast.example.yaml');
  expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/holdfast\.schema\.json\n/);
  const missing = [...optionsOf(JSON.parse(jsonSchema()))].filter((name) => !text.includes(`${name}:`));
  expect(missing).toEqual([]);
});

test('docs/configuration.md explains every option', () => {
  const page = root('docs/configuration.md');
  const missing = [...optionsOf(JSON.parse(jsonSchema()))].filter((name) => !page.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});
