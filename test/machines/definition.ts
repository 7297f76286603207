import { readFileSync } from 'node:fs';
import { expandDefinition } from '../../functions/contract/asl.ts';
import type { Machine } from '../../functions/contract/names.ts';

/** The folder of the ASL files. */
export const DIRECTORY = new URL('../../state-machines/', import.meta.url);

/** A machine's definition as it is synthesized: shared blocks in their place, placeholders of CloudFormation left. */
export function definitionOf(machine: Machine): string {
  const file = `${machine}.asl.json`;
  return expandDefinition(readFileSync(new URL(file, DIRECTORY), 'utf8'), file);
}
