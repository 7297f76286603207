import type { OnProgress } from '../base/progress.ts';
import { debian } from './debian.ts';
import { emulator } from './emulator.ts';
import { kubernetes, pause, restic } from './go.ts';
import { images } from './images.ts';
import { provide } from './provide.ts';

/** Folders of the tools, by what is in them. */
export interface Tools {
  readonly debian: string;
  readonly kubernetes: string;
  readonly restic: string;
  readonly images: string;
  readonly emulator: string;
}

/**
 * Takes every tool of a world from the cache, or makes it. Go builds follow each other, because one
 * of them already keeps every core busy; packages are fetched meanwhile.
 */
export async function provideTools(onProgress: OnProgress): Promise<Tools> {
  const [built, debianFolder, emulatorFolder] = await Promise.all([
    provideGoTools(onProgress),
    provide(debian, onProgress),
    provide(emulator, onProgress),
  ]);
  return {
    ...built,
    debian: debianFolder,
    emulator: emulatorFolder,
    images: await provide(images, onProgress),
  };
}

/** The emulator alone: all that an existing cluster needs. */
export function provideEmulator(onProgress: OnProgress): Promise<string> {
  return provide(emulator, onProgress);
}

async function provideGoTools(onProgress: OnProgress) {
  await provide(pause, onProgress);
  return {
    restic: await provide(restic, onProgress),
    kubernetes: await provide(kubernetes, onProgress),
  };
}
