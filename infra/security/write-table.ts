import { readFileSync, writeFileSync } from 'node:fs';
import { securityTable, withTable } from './table.ts';

// Writes who may do what into docs/security.md, from the templates.
const page = new URL('../../docs/security.md', import.meta.url);
writeFileSync(page, withTable(readFileSync(page, 'utf8'), securityTable()));
