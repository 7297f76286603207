import { writeFileSync } from 'node:fs';
import { jsonSchema } from './json-schema.ts';

// Makes holdfast.schema.json, by which editors complete and check holdfast.yaml.
writeFileSync(new URL('../../holdfast.schema.json', import.meta.url), jsonSchema());
