import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { progressPrinter } from '../../world/base/progress-lines.ts';
import { account, runDirOf } from '../../world/base/settings.ts';
import { cfnLintTool } from '../../world/tools/cfn-lint.ts';
import { provide } from '../../world/tools/provide.ts';
import { runGate } from './gate.ts';
import { parseRecording, readDeployments } from './recording.ts';

// `npm run iam-gate -- [--world NAME | --recording FOLDER] [--complete]`: judges the calls of a world by the synthesized policies.
const { values } = parseArgs({
  options: {
    world: { type: 'string', default: 'local' },
    recording: { type: 'string' },
    complete: { type: 'boolean', default: false },
  },
});
const folder = values.recording ?? join(runDirOf(values.world), 'recording');
const calls = join(folder, 'calls.jsonl');
if (!existsSync(calls)) {
  console.error(
    `${calls} is not there: run tests in a world first, or name another with --world or --recording`,
  );
  process.exit(1);
}
const { findings, unused, counts } = await runGate({
  recording: parseRecording(readFileSync(calls, 'utf8')),
  deployments: readDeployments(join(folder, 'deployments')),
  account: account.id,
  complete: values.complete,
  cfnLint: await provide(cfnLintTool, progressPrinter()),
  onProgress: (line) => console.log(line),
});
for (const finding of findings) console.log(`✗ ${finding}`);
for (const text of unused) console.log(`no call needed: ${text}`);
console.log(
  `${counts.asks} recorded calls, ${counts.judged} judged, ${counts.permissions} permissions, ${unused.length} of them unused, ${findings.length} findings`,
);
process.exitCode = findings.length === 0 ? 0 : 1;
