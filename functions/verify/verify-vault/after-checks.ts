import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { CheckOutcome, Finding } from '../../core/vault/verification.ts';
import type { Vault } from '../../ports/vault.ts';
import { heal, lookAt } from './look.ts';
import { settle } from './verify.ts';

/** Prefix of findings of packs that restic found missing. It sorts after those of all steps. */
const NOTE = 'missing';

/** Heals missing packs: an index refers to them, so only restic can find that they do not exist. */
export async function healMissing(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  run: string,
  checks: readonly CheckOutcome[],
): Promise<void> {
  const lacking = Map.groupBy(
    checks.flatMap(({ namespace, copy, missing }) => missing.map((pack) => ({ namespace, copy, pack }))),
    ({ namespace, pack }) => `${keys.restic.repository(namespace)}/data/${pack.slice(0, 2)}/${pack}`,
  );
  for (const [key, lack] of lacking) {
    const [{ namespace, pack }] = lack as [(typeof lack)[number]];
    const has = (copy: CopyName) => lack.some((l) => l.copy === copy);
    const seen = await lookAt(copies, key, pack, { primary: has('primary'), replica: has('replica') });
    const repository = keys.restic.repository(namespace);
    const look = { ...seen, recoveryPoints: [], repository, stillWanted: async () => true };
    await settle({ copies, keys }, run, `${NOTE}-${namespace}-${pack}`, [look]);
  }
}

/**
 * The sha256 of a repository's configuration is stored nowhere, but restic authenticates the configuration whenever it opens
 * the repository. If restic found no errors in exactly one copy, its configuration is proven, and the other is healed from
 * it. Copies that are equal were healed by an earlier call that was killed.
 */
export async function healConfigs(
  copies: PerCopy<Vault>,
  findings: readonly Finding[],
  checks: readonly CheckOutcome[],
  { restic }: VaultKeys,
): Promise<Finding[]> {
  const settled: Finding[] = [];
  for (const finding of findings) {
    const { key, outcome, repository } = finding;
    const isConfig = outcome === 'unproven' && key === `${repository}/config`;
    const opened = (copy: CopyName) =>
      checks.some((c) => c.ok && c.copy === copy && restic.repository(c.namespace) === repository);
    const healed = isConfig && (await healConfig(copies, key, COPIES.filter(opened)));
    settled.push(healed ? { ...finding, outcome: 'healed' } : finding);
  }
  return settled;
}

/** `proven`: copies of the repository that restic read without errors. */
async function healConfig(
  copies: PerCopy<Vault>,
  key: string,
  proven: readonly CopyName[],
): Promise<boolean> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => copies[copy].digest(key)));
  if (primary && primary.sha256 === replica?.sha256) return true;
  const [from, ...others] = proven;
  const good = from === 'primary' ? primary : replica;
  if (from === undefined || others.length > 0 || !good) return false;
  const seen = { primary: 'damaged', replica: 'damaged', [from]: 'good' } as const;
  const none = { recoveryPoints: [], stillWanted: async () => true };
  await heal(copies, { key, ...good, seen, ...none });
  return true;
}
