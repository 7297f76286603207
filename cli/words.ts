import { Option } from 'commander';
import { COPIES } from '../functions/contract/copies.ts';

/** `--from <copy>`: no word but the names of the two copies. */
export const copyOption = (means: string): Option =>
  new Option('--from <copy>', means).choices(COPIES).default(COPIES[0]);
