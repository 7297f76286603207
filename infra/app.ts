import { App } from 'aws-cdk-lib';
import { esbuildBundler } from './bundle.ts';
import { ConfigInvalid, loadConfig } from './config/load.ts';
import { makeStacks } from './stacks/all-stacks.ts';

const app = new App();

try {
  const config = loadConfig(app.node.tryGetContext('config') as string | undefined);
  makeStacks(app, config, esbuildBundler());
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigInvalid)) throw error;
  console.error(`\n${error.message}\n`); // for a person: a stack trace would hide it
  process.exit(1);
}
