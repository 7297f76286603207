import { answered, TEMPLATE_ANSWERS } from './answers.ts';
import { type Ask, nameOf } from './ask.ts';
import { asksOf } from './asks.ts';
import { BY_HAND } from './by-hand.ts';
import { DENIED_WITH_REASON } from './denied.ts';
import { judge, NotOurs, type Verdict } from './judge.ts';
import { Permissions, plainNames } from './permissions.ts';
import type { Deployment, Recording } from './recording.ts';
import { cfnLint, nagsOf } from './template-checks.ts';
import { UNUSED_WITH_REASON } from './unused.ts';
import { VARIANTS, type Variant, variantOf } from './variants.ts';

/** What the gate found. */
export interface Report {
  /** Each in words that one can act on; empty: the gate is open. */
  readonly findings: readonly string[];
  readonly unused: readonly string[];
  readonly counts: { readonly asks: number; readonly judged: number; readonly permissions: number };
}

export interface GateOptions {
  readonly recording: Recording;
  readonly deployments: readonly Deployment[];
  /** Whose the world is: twelve digits. */
  readonly account: string;
  /** The recording is of all world tests: a reason for a permission that is used, or a denial that did not come, is stale. */
  readonly complete: boolean;
  /** The folder of cfn-lint; absent: templates are not looked at. */
  readonly cfnLint?: string;
  readonly onProgress?: (line: string) => void;
}

/** Judges every recorded call, and those written by hand, by the policies of every variant of what was deployed. */
export async function runGate(options: GateOptions): Promise<Report> {
  const { recording, deployments, account, complete, onProgress = () => undefined } = options;
  const { asks, unknown } = asksOf(recording, account);
  const found = new Findings();
  const permissions = new Permissions();
  const variants = [...new Set(deployments.map((d) => d.config))].flatMap((config) =>
    VARIANTS.map((kind) => variantOf(kind, config, account)),
  );
  let judged = 0;
  for (const variant of variants) {
    const started = Date.now();
    const count = await judgeVariant(variant, asks, found, permissions);
    judged += count;
    onProgress(`${variant.name}: ${count} calls judged in ${Date.now() - started} ms`);
  }
  const unused = answered(permissions.unused(), UNUSED_WITH_REASON);
  const reasons = complete
    ? [
        ...unused.stale.map((text) => `test/iam/unused.ts has a reason for what is not unused: ${text}`),
        ...found.stale().map((text) => `test/iam/denied.ts has a reason for what was not denied: ${text}`),
      ]
    : [];
  const templates = options.cfnLint === undefined ? [] : templateFindings(variants, options.cfnLint);
  return {
    findings: [...recording.gaps, ...unknown, ...found.words(), ...reasons, ...templates],
    unused: unused.open,
    counts: { asks: asks.length, judged, permissions: permissions.count },
  };
}

/** What cdk-nag and cfn-lint say of the templates of all variants and is not answered. */
export function templateFindings(variants: readonly Variant[], tool: string): string[] {
  const said = variants.flatMap((variant) => nagsOf(variant).map(plainOf(variant)));
  const stacks = variants.flatMap(({ model }) => model.stacks);
  const [first] = variants;
  const linted = first ? cfnLint(tool, stacks).map(plainOf(first)) : [];
  const { open, stale } = answered([...new Set([...said, ...linted])], TEMPLATE_ANSWERS);
  return [
    ...open.map((text) => `${text}: mend it, or answer it in test/iam/answers.ts`),
    ...stale.map((text) => `test/iam/answers.ts answers what nobody says any more: ${text}`),
  ];
}

const plainOf = ({ copies, config }: Variant): ((text: string) => string) =>
  plainNames(copies, config.clusters);

/** Judges all calls of one variant; calls that differ in ids alone are judged once. Returns how many. */
export async function judgeVariant(
  variant: Variant,
  asks: readonly Ask[],
  found: Findings,
  permissions: Permissions,
): Promise<number> {
  const plain = plainOf(variant);
  permissions.add(variant.model, plain);
  const own = BY_HAND.flatMap(({ name, asks: make }) =>
    make(variant).map((ask): Ask => ({ ...ask, source: `by hand: ${name}` })),
  );
  const made = [...asks.flatMap((ask) => variant.asked(ask) ?? []), ...own];
  const different = new Map(made.map((ask) => [shapeOf(ask), ask]));
  let judged = 0;
  for (const ask of different.values()) {
    const verdict = await judgedOrNot(variant, ask);
    if (!verdict) continue;
    judged++;
    if (verdict.allowed) permissions.use(verdict.used, plain);
    else found.add(variant.name, ask, verdict, plain);
  }
  return judged;
}

async function judgedOrNot(variant: Variant, ask: Ask): Promise<Verdict | undefined> {
  try {
    return await judge(variant.model, ask);
  } catch (error) {
    if (error instanceof NotOurs) return undefined;
    throw error;
  }
}

/** What makes a question another one: everything but ids and where it comes from. */
const shapeOf = ({ who, action, resource, context }: Ask): string => {
  const asker =
    who.kind === 'session' ? [who.by, who.session.role, who.session.policy, who.session.tags] : who;
  return JSON.stringify([asker, action, resource, context])
    .replaceAll(/\/[0-9a-f]{2}\/[0-9a-f]{64}/g, '/H/H')
    .replaceAll(/[0-9a-f]{16,}/g, 'H')
    .replaceAll(/\d{14}(-[0-9a-f]{6})?/g, 'T');
};

/** Denied calls: one finding for all variants and keys in which the same is missing. */
export class Findings {
  readonly #found = new Map<string, { text: string; variants: Set<string>; count: number }>();
  readonly #borne = new Set<string>();

  /** Counts a denial; one that the pipeline bears is none. `plain`: the names of the variant made plain. */
  add(variant: string, ask: Ask, verdict: Verdict, plain: (text: string) => string): void {
    const short = plain(
      `${nameOf(ask.who)} ${ask.action} ${verdict.resource} ${JSON.stringify(ask.context ?? {})}`,
    );
    if (answered([short], DENIED_WITH_REASON).open.length === 0) {
      this.#borne.add(short);
      return;
    }
    const bucket = verdict.resource.replace(/(:::[^/]+\/[^/]+\/)[^/]+\/.*/, '$1');
    const key = [nameOf(ask.who), ask.action, bucket].join(' ');
    const context =
      ask.context && Object.keys(ask.context).length > 0 ? ` with ${JSON.stringify(ask.context)}` : '';
    const text = `${nameOf(ask.who)} may not ${ask.action} on ${verdict.resource}${context}\n    ${verdict.why}\n    seen in: ${ask.source}`;
    const entry = this.#found.get(key) ?? { text, variants: new Set<string>(), count: 0 };
    entry.variants.add(variant);
    entry.count++;
    this.#found.set(key, entry);
  }

  /** Reasons for denials that did not come. */
  stale(): string[] {
    return answered([...this.#borne], DENIED_WITH_REASON).stale;
  }

  /** All findings, each with the variants that it is found in. */
  words(): string[] {
    return [...this.#found.values()].map(
      ({ text, variants, count }) =>
        `${text}\n    in ${variants.size === VARIANTS.length ? 'every variant' : [...variants].join('; ')} (${count} calls like it)`,
    );
  }
}
