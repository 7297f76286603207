import { writeFileSync } from 'node:fs';
import { jsonSchema } from './json-schema.ts';

// Writes holdfast.schema.json, with which editors complete and check holdfast.yaml.
writeFileSync(new URL('../../holdfast.schema.json', import.meta.url), jsonSchema());
