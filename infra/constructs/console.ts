import { consoleHost } from '../../functions/contract/partition.ts';

/** Links into the AWS console. `region` is a region's name, never a token. */
const home = (service: string, region: string, fragment: string): string =>
  `https://${consoleHost(region)}/${service}/home?region=${region}#${fragment}`;

/** The executions of a state machine. */
export const executionsUrl = (region: string, machineArn: string): string =>
  home('states', region, `/statemachines/view/${machineArn}`);

/** The log of a function. The console wants its slashes encoded twice, with $ in place of %. */
export const functionLogUrl = (region: string, functionName: string): string =>
  home('cloudwatch', region, `logsV2:log-groups/log-group/$252Faws$252Flambda$252F${functionName}`);

/** The queues of a region. The address of one holds its URL, which only the deployed stack knows. */
export const queuesUrl = (region: string): string =>
  `https://${consoleHost(region)}/sqs/v3/home?region=${region}#/queues`;

/** The schedules of a group. */
export const schedulesUrl = (region: string, group: string): string =>
  home('scheduler', region, `schedules?group=${group}`);

/** A folder of a bucket. */
export const folderUrl = (region: string, bucket: string, prefix: string): string =>
  `https://${consoleHost(region)}/s3/buckets/${bucket}?region=${region}&prefix=${prefix}`;

/** Metrics of one bucket's replication. */
export const bucketMetricsUrl = (region: string, bucket: string): string =>
  `https://${consoleHost(region)}/s3/buckets/${bucket}?region=${region}&tab=metrics`;
