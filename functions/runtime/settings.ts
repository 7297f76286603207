import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { ENV, SETTINGS_FILE } from '../contract/env.ts';
import { HoldfastError } from '../contract/holdfast-error.ts';
import { ClusterSettings, type PlanSettings } from '../contract/settings.ts';

let cached: ClusterSettings | undefined;

/** The settings that were deployed with this function's code. */
export function settings(): ClusterSettings {
  cached ??= z.parse(
    ClusterSettings,
    JSON.parse(readFileSync(new URL(SETTINGS_FILE, import.meta.url), 'utf8')),
  );
  return cached;
}

/** A plan by name. */
export function planSettings(name: string): PlanSettings {
  const { plans, cluster } = settings();
  const plan = plans.find((p) => p.name === name);
  if (plan) return plan;
  const known = plans.map((p) => p.name).join(', ');
  throw new HoldfastError('PlanNotFound', `cluster ${cluster} has no plan "${name}"`, {
    hint: `Its plans are: ${known}`,
  });
}

/** An environment variable of the contract. */
export function env(name: keyof typeof ENV): string {
  const value = process.env[ENV[name]];
  if (value) return value;
  throw new Error(`${ENV[name]} is not set: the stack and the code are of different versions`);
}
