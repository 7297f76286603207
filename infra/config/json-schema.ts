import * as z from 'zod';
import { Config } from './schema.ts';

/** JSON Schema of holdfast.yaml, as a file. */
export function jsonSchema(): string {
  const schema = z.toJSONSchema(Config, { io: 'input', unrepresentable: 'any' });
  return `${JSON.stringify({ title: 'holdfast.yaml', ...schema }, null, 2)}\n`;
}
