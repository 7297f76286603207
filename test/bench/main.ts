import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runMain } from '../../world/base/errors.ts';
import { bringUp, processEnv, takeDown } from '../../world/world.ts';
import { measure } from './measure.ts';
import { measureMemory } from './memory.ts';

const HELP = `npm run bench -- export  [--items N] [--json]   wall, CPU and memory of an export beside a plain LIST
npm run bench -- restore [--items N] [--json]   objects a second beside plain creates
npm run bench -- compare [--items N] [--json]   both beside a real Velero (npm run test:velero makes it)
npm run bench -- memory  [--items N] [--json]   largest memory of each function of a restore, beside what it has
  --no-restore   leaves out the restores, of which Velero's makes about 30 objects a second
`;
const WORLD = 'bench';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    items: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
    inside: { type: 'boolean', default: false },
    restore: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

async function main(): Promise<number> {
  const [what = ''] = positionals;
  const items = Number(values.items);
  if (what === 'memory' && Number.isInteger(items) && items > 0) {
    const figures = measureMemory(items);
    if (values.json) console.log(JSON.stringify(figures));
    else console.table(figures);
    return Object.values(figures).every(({ has, mib }) => mib < has) ? 0 : 1;
  }
  if (!['export', 'restore', 'compare'].includes(what) || !Number.isInteger(items) || items < 10) {
    console.error(HELP);
    return 2;
  }
  if (values.inside) {
    const figures = await measure(what, items, values.restore);
    const rounded = Object.fromEntries(
      Object.entries(figures).map(([k, v]) => [k, Math.round(v * 1000) / 1000]),
    );
    if (!values.json) console.table(rounded);
    console.log(JSON.stringify(rounded));
    return 0;
  }
  await takeDown(WORLD);
  try {
    const world = await bringUp({
      name: WORLD,
      onProgress: ({ name, state }) => console.error(`${state} ${name}`),
    });
    const self = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2), '--inside'];
    const [file = '', ...args] = [...world.enter, ...self];
    const child = spawn(file, args, { stdio: 'inherit', env: processEnv(world) });
    const [code] = (await once(child, 'close')) as [number | null];
    return code ?? 1;
  } finally {
    await takeDown(WORLD);
  }
}

runMain(main);
