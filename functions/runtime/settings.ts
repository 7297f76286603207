import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { ENV, SETTINGS_FILE } from '../contract/env.ts';
import { ClusterSettings, type PlanSettings } from '../contract/settings.ts';
import { planNamed } from '../core/backup/plans.ts';

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
export const planSettings = (name: string): PlanSettings => planNamed(settings(), name);

/** An environment variable of the contract. */
export function env(name: keyof typeof ENV): string {
  const value = process.env[ENV[name]];
  if (value) return value;
  throw new Error(
    `environment variable ${ENV[name]} is not set: the stack and the code have different versions`,
  );
}
