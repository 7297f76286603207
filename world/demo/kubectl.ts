import { execa } from 'execa';

/** Runs kubectl against the world's cluster and returns what it printed. */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

export function kubectlWith(env: Record<string, string>): Kubectl {
  return async (args, input) => {
    const result = await execa('kubectl', args, {
      env,
      reject: false,
      ...(input !== undefined && { input }),
    });
    if (result.exitCode === 0) return result.stdout;
    throw new Error(`kubectl ${args.slice(0, 3).join(' ')}: ${result.stderr || result.shortMessage}`);
  };
}
