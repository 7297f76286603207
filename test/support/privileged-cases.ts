import { BINDINGS } from './privileged-bindings.ts';
import type { Case, Cases } from './privileged-builders.ts';
import { NETWORK } from './privileged-network.ts';
import { PLATFORM } from './privileged-platform.ts';
import { PODS } from './privileged-pods.ts';
import { ROLES } from './privileged-roles.ts';

const named = (kind: string, cases: Cases): Case[] =>
  Object.entries(cases).map(([what, one]) => ({ ...one, what: `${kind}: ${what}` }));

/** Objects of an archive, of which a restore holds, skips or lets through each for a reason. */
export const CASES: readonly Case[] = [
  ...named('rbac', ROLES),
  ...named('rbac', BINDINGS),
  ...named('pods', PODS),
  ...named('platform', PLATFORM),
  ...named('platform', NETWORK),
];
