import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from '../world/base/errors.ts';
import { progressPrinter } from '../world/base/progress-lines.ts';
import { csiTool } from '../world/tools/csi.ts';
import { minioTool } from '../world/tools/minio.ts';
import { provide } from '../world/tools/provide.ts';
import { bringUp, processEnv, takeDown } from '../world/world.ts';

// `npm test`: lint, types, fast and slow tests, then world tests inside an embedded world of their own,
// and whether IAM would allow what they did. The last line counts.
const WORLD = 'test';
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
const total = { passed: 0, failed: 0 };

/** Runs a command with its output shown; a command that fails counts as one failed test. */
function check(name: string, command: readonly string[]): void {
  console.log(`\n— ${name}`);
  const [file, ...args] = command as [string, ...string[]];
  const ok = spawnSync(file, args, { stdio: 'inherit' }).status === 0;
  total[ok ? 'passed' : 'failed']++;
}

/** Runs one vitest project and adds up what its JSON report says; a run without a report is a failure. */
function vitest(project: string, before: readonly string[], env: NodeJS.ProcessEnv): void {
  console.log(`\n— ${project} tests`);
  const report = join(scratch, `${project}.json`);
  const run = [
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const [file, ...args] = [...before, ...run] as [string, ...string[]];
  const { status } = spawnSync(file, args, { stdio: 'inherit', env });
  try {
    const counts = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
    };
    total.passed += counts.numPassedTests;
    total.failed += counts.numFailedTests;
    if (status !== 0 && counts.numFailedTests === 0) total.failed++; // a suite that could not even start
  } catch {
    total.failed++;
  }
}

check('lint', ['biome', 'check', '--error-on-warnings', '.']);
check('types', ['tsc']);
check('dependencies', ['knip', '--dependencies', '--no-config-hints']);
check('dependencies of what is deployed', [
  'knip',
  '--dependencies',
  '--production',
  '--strict',
  '--no-config-hints',
]);
vitest('fast', [], process.env);
vitest('slow', [], process.env);
try {
  await takeDown(WORLD);
  // A world has no way out: what its tests need beyond it is made before.
  await provide(csiTool, progressPrinter());
  await provide(minioTool, progressPrinter());
  const world = await bringUp({ name: WORLD, onProgress: progressPrinter() });
  vitest('world', world.enter, processEnv(world));
  // What the world's tests had AWS do is judged by the policies of the templates.
  check('permissions', ['node', 'test/iam/main.ts', '--world', WORLD, '--complete']);
} catch (error) {
  console.error(explain(error));
  total.failed++;
} finally {
  await takeDown(WORLD);
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
