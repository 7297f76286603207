import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { z } from 'zod';
import type { PlacedStack, Resource } from './resolve.ts';
import type { Variant } from './variants.ts';

/** The findings of cdk-nag's rules for AWS solutions: `cdk-nag RULE PATH`. */
export function nagsOf({ app, copies }: Variant): string[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath = '' }) => {
      const rule = ruleName.replaceAll('<AWS::AccountId>', copies.primary.account);
      return `cdk-nag ${rule} ${constructPath.replace(/\/Resource$/, '')}`;
    }),
  );
}

const LintFinding = z.object({
  Filename: z.string(),
  Message: z.string(),
  Rule: z.object({ Id: z.string() }),
  Location: z.object({ Path: z.array(z.union([z.string(), z.number()])).nullable() }),
});

/**
 * The findings of cfn-lint: `cfn-lint RULE STACK/PATH MESSAGE`. `tool`: the folder of cfn-lint. Stacks of one text are
 * looked at once.
 */
export function cfnLint(tool: string, stacks: readonly PlacedStack[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
  try {
    const files = new Map<string, PlacedStack>();
    for (const stack of new Map(stacks.map((s) => [JSON.stringify(s.resources), s])).values()) {
      const file = `${files.size}.json`;
      files.set(file, stack);
      writeFileSync(join(folder, file), JSON.stringify({ Resources: stack.resources }));
    }
    const regions = [...new Set(stacks.map(({ region }) => region))];
    const paths = [...files.keys()].map((file) => join(folder, file));
    return lint(tool, regions, paths).map(({ Filename, Message, Rule, Location }) => {
      const stack = files.get(basename(Filename));
      const id = String(Location.Path?.[1] ?? '');
      return `cfn-lint ${Rule.Id} ${pathOf(stack?.resources[id], id)} ${Message}`;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Path of a resource's construct, which a person finds in the code. */
const pathOf = (resource: Resource | undefined, id: string): string =>
  String(resource?.Metadata?.['aws:cdk:path'] ?? id).replace(/\/Resource$/, '');

/** cfn-lint ends with a code of bits for what it found; whatever is not JSON is an error of its own. */
function lint(tool: string, regions: string[], paths: string[]): z.infer<typeof LintFinding>[] {
  const args = ['--format', 'json', '--regions', ...regions, '--', ...paths];
  const { stdout, stderr, error } = spawnSync('python3', [join(tool, 'bin/cfn-lint'), ...args], {
    env: { ...process.env, PYTHONPATH: tool, PYTHONDONTWRITEBYTECODE: '1' },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (error) throw error;
  try {
    return z.array(LintFinding).parse(JSON.parse(stdout));
  } catch (cause) {
    throw new Error(`cfn-lint failed: ${stderr || stdout}`, { cause });
  }
}
