import * as z from 'zod';
import { Config } from './schema.ts';

/** JSON Schema of holdfast.yaml, as a file. Lists of words stand on one line, as the formatter wants them. */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any' });
  const text = JSON.stringify({ title: 'holdfast.yaml', ...schema }, null, 2);
  return `${text.replace(/\[\n[^[\]{}]+\]/g, (list) => list.replace(/\n\s*/g, ' ').replace(/^\[ | \]$/g, (end) => end.trim()))}\n`;
}
