import { Listr, PRESET_TIMER } from 'listr2';
import type { World } from '../world.ts';
import {
  type Application,
  compareFiles,
  compareObjects,
  destroy,
  fingerprintFiles,
  install,
  readApplication,
  waitReady,
} from './application.ts';
import { awsOf, type Execution } from './aws.ts';
import { demo, underneath } from './config.ts';
import { kubectlWith } from './kubectl.ts';
import { type DoneBackup, finishBackup, runRestore, waitForSchedule } from './stages.ts';
import { summaryTable } from './table.ts';
import { deployWorld, grantAccess } from './world-setup.ts';

/** What one stage leaves for the next. */
interface Run {
  app: Application;
  before: Map<string, string>;
  after: Map<string, string>;
  deployedAt: Date;
  scheduled: Execution;
  done: DoneBackup;
  restore: Execution;
  differing: string[];
}

/**
 * The main job on real parts, from inside the world's network namespace: deploy, scheduled backup, replica,
 * disaster, restore, comparison. Returns the exit code.
 */
export async function runDemo(world: World, manifest: string): Promise<number> {
  Object.assign(process.env, world.env);
  const kubectl = kubectlWith(world.env);
  const aws = awsOf(demo.region, demo.cluster);
  const context = {} as Run;
  const stages = new Listr<Run>(
    [
      {
        title: 'Install the sample application and wait until it works',
        task: async (run) => {
          run.app = readApplication(manifest);
          await install(kubectl, run.app);
          await waitReady(kubectl, run.app);
          run.before = await fingerprintFiles(kubectl, run.app);
        },
      },
      {
        title: 'cdk bootstrap and cdk deploy into two regions',
        task: async (run, task) => {
          await grantAccess(world, kubectl, aws);
          await deployWorld(world, { namespaces: run.app.namespaces }, (line) => {
            task.output = `${line.name}: ${line.state}`;
          });
          run.deployedAt = new Date();
        },
      },
      {
        title: 'Wait for the schedule to fire by itself (every 2 minutes)',
        task: async (run) => {
          run.scheduled = await waitForSchedule(aws, run.deployedAt, 300);
        },
      },
      {
        title: 'Backup, replica in the second region, retention',
        task: async (run, task) => {
          run.done = await finishBackup(aws, run.scheduled.arn, (state) => {
            task.output = state;
          });
        },
      },
      {
        title: 'Disaster: delete the application, its definitions and its volumes',
        task: (run) => destroy(kubectl, run.app),
      },
      {
        title: 'Restore with {"backup": "<name>"}',
        task: async (run, task) => {
          run.restore = await runRestore(aws, { backup: run.done.record.backup }, (state) => {
            task.output = state;
          });
        },
      },
      {
        title: 'Compare every file and every object',
        task: async (run) => {
          await waitReady(kubectl, run.app);
          run.after = await fingerprintFiles(kubectl, run.app);
          run.differing = [
            ...compareFiles(run.before, run.after),
            ...(await compareObjects(kubectl, run.app)),
          ];
          if (run.differing.length > 0) throw new Error(`${run.differing.length} differences`);
        },
      },
    ],
    {
      ctx: context,
      exitOnError: true,
      rendererOptions: { timer: PRESET_TIMER },
      fallbackRendererOptions: {
        timer: PRESET_TIMER,
      },
    },
  );
  console.log(`Holdfast demo on ${underneath}\n`);
  try {
    await stages.run();
  } catch (error) {
    if (!context.differing) console.error(`\n${(error as Error).message}`);
  }
  if (context.restore && context.after)
    console.log(`\n${summaryTable(context.done, context.restore, context.after.size, context.differing)}\n`);
  const ok = context.differing?.length === 0;
  console.log(ok ? 'demo: ok' : 'demo: failed');
  return ok ? 0 : 1;
}
