/** One line about one piece of work. `seconds` is 0 when it starts. */
export interface ProgressLine {
  readonly name: string;
  readonly state: 'started' | 'cached' | 'done' | 'failed';
  readonly seconds: number;
}

/** Receives progress; must not throw. */
export type OnProgress = (line: ProgressLine) => void;

/** Runs one piece of work between a line that it started and a line how it ended. */
export async function step<T>(name: string, onProgress: OnProgress, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  onProgress({ name, state: 'started', seconds: 0 });
  try {
    const result = await work();
    onProgress({ name, state: 'done', seconds: seconds() });
    return result;
  } catch (error) {
    onProgress({ name, state: 'failed', seconds: seconds() });
    throw error;
  }
}
