import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runDirOf } from './settings.ts';

const identity = z.object({ pid: z.number(), startTime: z.string() });

/** What a world's run directory says about it. Written as soon as there is a process to find again. */
const worldRecord = z.object({
  name: z.string(),
  kind: z.enum(['sandbox', 'cluster']),
  /** pid 1 of the sandbox, or the emulator when the cluster is an existing one. */
  main: identity,
  /** Who brings it up; a world that is neither ready nor being brought up is left over. */
  starter: identity,
  ready: z.boolean(),
  address: z.string(),
  kubeconfigs: z.object({ admin: z.string(), backup: z.string(), restore: z.string() }),
  /** Folders with programs for people and tests: kubectl, restic. */
  programs: z.array(z.string()),
});

export type WorldRecord = z.infer<typeof worldRecord>;

/** Reads the record of a world; undefined if it is missing or invalid. */
export function readRecord(name: string): WorldRecord | undefined {
  const file = fileOf(name);
  if (!existsSync(file)) return undefined;
  const parsed = worldRecord.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  return parsed.success ? parsed.data : undefined;
}

/** Writes a world's record in one step. */
export function writeRecord(record: WorldRecord): void {
  const file = fileOf(record.name);
  writeFileSync(`${file}.new`, JSON.stringify(record, null, 2));
  renameSync(`${file}.new`, file);
}

function fileOf(name: string): string {
  return join(runDirOf(name), 'world.json');
}
