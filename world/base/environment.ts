import { delimiter, dirname, join } from 'node:path';
import { account, network, projectRoot } from './settings.ts';

/** The folder of the Node that the project pins: Lambdas and CDK apps need it, the machine's own may be older. */
export const nodeFolder = join(projectRoot, 'node_modules', 'node', 'bin');

/** The address at which a world's AWS answers. */
export function endpointOf(address: string): string {
  return `http://${address}:${network.emulatorPort}`;
}

/** What a world keeps for the check of permissions: the calls that reached its AWS, and what was deployed. */
export function recordingOf(runDir: string): { readonly calls: string; readonly deployments: string } {
  return { calls: join(runDir, 'recording/calls.jsonl'), deployments: join(runDir, 'recording/deployments') };
}

/** Environment of the emulator process. Lambdas are its children and inherit it. */
export function emulatorEnv(installed: string, runDir: string, address: string): Record<string, string> {
  const state = join(runDir, 'emulator');
  return {
    PYTHONPATH: installed,
    PYTHONUNBUFFERED: '1',
    PATH: [nodeFolder, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
    // Without this the Lambda runtime finds no SDK and puts stubs in its place.
    NODE_PATH: join(projectRoot, 'node_modules'),
    HOME: state,
    TMPDIR: join(state, 'tmp'),
    STATE_DIR: join(state, 'state'),
    S3_DATA_DIR: join(state, 's3'),
    HOLDFAST_RECORDING: recordingOf(runDir).calls,
    BIND_HOST: address,
    // Queue addresses and the answers of custom resources are made from this name.
    MINISTACK_HOST: address,
    MINISTACK_REGION: account.region,
    MINISTACK_ACCOUNT_ID: account.id,
    LAMBDA_EXECUTOR: 'local',
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LOG_LEVEL: 'INFO',
    ...awsEnv(address),
  };
}

/** What an AWS client needs to talk to the emulator and to nothing else. */
export function awsEnv(address: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpointOf(address),
    AWS_ACCESS_KEY_ID: account.accessKeyId,
    AWS_SECRET_ACCESS_KEY: account.secretAccessKey,
    AWS_REGION: account.region,
    AWS_DEFAULT_REGION: account.region,
    AWS_EC2_METADATA_DISABLED: 'true',
    // A person's own profiles must never be read.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
