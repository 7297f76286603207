import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OnProgress, step } from '../base/progress.ts';
import { cacheDir } from '../base/settings.ts';

/** A tool that is made once per version and then taken from the cache. */
export interface Tool {
  readonly name: string;
  readonly version: string;
  /** Fills an empty folder. */
  readonly build: (folder: string, onProgress: OnProgress) => Promise<void>;
}

const marker = '.complete';

/** The folder of a tool: made now when the cache has none that is complete. */
export async function provide(tool: Tool, onProgress: OnProgress): Promise<string> {
  const label = `${tool.name} ${tool.version}`;
  const folder = folderOf(tool);
  if (existsSync(join(folder, marker))) {
    onProgress({ name: label, state: 'cached', seconds: 0 });
    return folder;
  }
  removeAbandoned(`${tool.name}-${tool.version}`);
  await step(label, onProgress, () => build(tool, folder, onProgress));
  return folder;
}

/** Where a tool is or will be. */
export function folderOf(tool: { name: string; version: string }): string {
  return join(cacheDir(), 'tools', `${tool.name}-${tool.version}`);
}

/** Builds next to the final folder and renames it last, so that an incomplete tool is never visible. */
async function build(tool: Tool, folder: string, onProgress: OnProgress): Promise<void> {
  const building = `${folder}.building-${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  await tool.build(building, onProgress);
  writeFileSync(join(building, marker), `${new Date().toISOString()}\n`);
  if (existsSync(join(folder, marker))) {
    // Another process was faster; its result is the same.
    rmSync(building, { recursive: true, force: true });
    return;
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(building, folder);
}

/** Removes what an interrupted build left, unless that build still runs. */
function removeAbandoned(prefix: string): void {
  const tools = join(cacheDir(), 'tools');
  if (!existsSync(tools)) return;
  for (const entry of readdirSync(tools)) {
    const pid = entry.startsWith(`${prefix}.building-`) ? entry.slice(entry.lastIndexOf('-') + 1) : undefined;
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(tools, entry), { recursive: true, force: true });
  }
}
