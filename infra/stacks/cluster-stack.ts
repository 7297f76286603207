import { Aws, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import { CompositePrincipal, PolicyStatement, PrincipalWithConditions, Role } from 'aws-cdk-lib/aws-iam';
import { CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PerCopy, VaultCopy } from '../../functions/contract/copies.ts';
import { ENV } from '../../functions/contract/env.ts';
import { FUNCTION_NAMES, FUNCTIONS, type FunctionName } from '../../functions/contract/functions.ts';
import {
  JOB_USES,
  type JobUse,
  jobRoleName,
  kubernetesGroups,
  LOCK_SCHEDULE,
  type Machine,
  masterSecretName,
  scheduleGroupName,
  signingKeyAlias,
  stackNames,
  VERIFY_SCHEDULE,
} from '../../functions/contract/names.ts';
import type { VeleroSource } from '../../functions/contract/settings.ts';
import type { Bundler } from '../bundle.ts';
import type { ClusterConfig, Config } from '../config/schema.ts';
import { settingsOf } from '../config/settings.ts';
import { ageAlarms } from '../constructs/age-alarms.ts';
import { AslMachine, type AslMachineProps } from '../constructs/asl-machine.ts';
import { BackupSchedule } from '../constructs/backup-schedule.ts';
import {
  executionStatement,
  JOB_COPIES,
  jobRoleArn,
  jobStatements,
  mintStatement,
  READS_SOURCES,
  RIGHTS,
  recordStatement,
  scheduleStatement,
  sourceStatements,
  TAGGED_SESSION,
  vaultStatements,
} from '../constructs/grants.ts';
import { machineAlarms } from '../constructs/machine-alarms.ts';
import { LOCK_INTERVAL, MachineSchedule } from '../constructs/machine-schedule.ts';
import { MeasureSchedule } from '../constructs/measure-schedule.ts';
import { PipelineFunction } from '../constructs/pipeline-function.ts';
import { vaultAlarms } from '../constructs/vault-alarms.ts';
import { copiesOf, environmentOf } from '../constructs/vault-copies.ts';

export interface ClusterStackProps {
  readonly config: Config;
  readonly cluster: ClusterConfig;
  readonly bundle: Bundler;
}

/** Everything that protects one cluster: functions, machines, schedules, and a role for each. */
export class ClusterStack extends Stack {
  private readonly copies: PerCopy<VaultCopy>;
  private readonly functions = new Map<FunctionName, PipelineFunction>();
  private readonly cluster: ClusterConfig;

  constructor(scope: Construct, props: ClusterStackProps) {
    const { config, cluster } = props;
    super(scope, stackNames.cluster(cluster.name), {
      env: environmentOf(config),
      description: `Holdfast: backup and restore of cluster ${cluster.name}`,
    });
    this.cluster = cluster;
    this.copies = copiesOf(config);
    this.makeFunctions(props);
    const replicate = this.machine('replicate');
    const prune = this.machine('prune');
    const backup = this.machine('backup', {
      children: { ReplicateMachineArn: replicate.stateMachine, PruneMachineArn: prune.stateMachine },
      // The shards of a large export: a Map that reads their list from the vault.
      distributedMap: true,
      statements: vaultStatements(this.copies.primary, cluster.name, { read: ['exports'] }),
    });
    const restore = this.machine('restore');
    const verify = this.machine('verify');
    const lock = this.machine('lock');
    const deadLetters = this.makeSchedules(backup, verify, config.vault.objectLock && lock);
    const context = {
      cluster,
      alarms: config.alarms,
      primary: this.copies.primary,
      machines: { backup, restore, replicate, prune, verify, lock },
      deadLetters,
      locked: config.vault.objectLock !== undefined,
    };
    for (const alarms of [ageAlarms, machineAlarms, vaultAlarms]) alarms(this, context);
    for (const [name, machine] of Object.entries({
      Backup: backup,
      Restore: restore,
      Replicate: replicate,
      Prune: prune,
      Verify: verify,
      Lock: lock,
    })) {
      new CfnOutput(this, `${name}Machine`, { value: machine.stateMachine.stateMachineArn });
    }
  }

  private makeFunctions({ config, cluster, bundle }: ClusterStackProps): void {
    const settings = settingsOf(config, cluster);
    for (const name of FUNCTION_NAMES) {
      const { mints } = RIGHTS[name];
      const environment = {
        [ENV.account]: this.copies.primary.account,
        ...(RIGHTS[name].records && { [ENV.signingKey]: signingKeyAlias(config.vault.name) }),
        ...(mints && { [ENV.jobRoleArn]: jobRoleArn(cluster.name, mints) }),
      };
      const fn = new PipelineFunction(this, {
        cluster: cluster.name,
        name,
        code: bundle(name, settings),
        environment,
      });
      this.functions.set(name, fn);
      this.grant(name, fn.role, settings.veleroSources);
    }
    for (const use of JOB_USES) this.makeJobRole(use);
  }

  /** The role of Jobs of one use, which the functions that start such Jobs may assume, with the tag that confines it. */
  private makeJobRole(use: JobUse): void {
    const minting = FUNCTION_NAMES.filter((name) => RIGHTS[name].mints === use);
    const assumers = minting.map((name) => (this.functions.get(name) as PipelineFunction).role);
    const role = new Role(this, `jobs-${use}`, {
      roleName: jobRoleName(this.cluster.name, use),
      maxSessionDuration: Duration.hours(1),
      assumedBy: new CompositePrincipal(
        ...assumers.map((assumer) =>
          new PrincipalWithConditions(assumer.grantPrincipal, TAGGED_SESSION).withSessionTags(),
        ),
      ),
    });
    for (const copy of JOB_COPIES[use])
      for (const statement of jobStatements(this.copies[copy], this.cluster.name, use))
        role.addToPolicy(statement);
  }

  private grant(name: FunctionName, role: Role, sources: readonly VeleroSource[]): void {
    const rights = RIGHTS[name];
    const { primary, replica } = this.copies;
    const statements = [
      ...vaultStatements(primary, this.cluster.name, rights.primary),
      ...(rights.replica ? vaultStatements(replica, this.cluster.name, rights.replica) : []),
      ...(rights.mints ? [mintStatement(this.cluster.name, rights.mints)] : []),
      ...(rights.mints || rights.opens ? [this.secretStatement(masterSecretName(this.cluster.name))] : []),
      ...(rights.records ? [recordStatement(primary, rights.records)] : []),
      ...(rights.seesExecutions ? [executionStatement(primary.region, this.cluster.name)] : []),
      ...(rights.seesSchedules ? [scheduleStatement(primary.region, this.cluster.name)] : []),
      ...(READS_SOURCES.includes(name) ? sources.flatMap(sourceStatements) : []),
      ...this.clusterStatements(FUNCTIONS[name].access),
    ];
    for (const statement of statements) role.addToPolicy(statement);
    this.accessEntry(name, role);
  }

  private secretStatement(name: string): PolicyStatement {
    const arn = `arn:${Aws.PARTITION}:secretsmanager:${this.copies.primary.region}:${Aws.ACCOUNT_ID}:secret:${name}-??????`;
    return new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [arn] });
  }

  private clusterStatements(use: 'none' | 'backup' | 'restore'): PolicyStatement[] {
    const { access } = this.cluster;
    if (use === 'none') return [];
    if (access.kind === 'kubeconfig')
      return [this.secretStatement(use === 'backup' ? access.backupSecret : access.restoreSecret)];
    const arn = `arn:${Aws.PARTITION}:eks:${access.region}:${Aws.ACCOUNT_ID}:cluster/${access.name}`;
    return [new PolicyStatement({ actions: ['eks:DescribeCluster'], resources: [arn] })];
  }

  /** EKS maps a role to a Kubernetes group, to which `holdfast rbac` binds what it may do. */
  private accessEntry(name: FunctionName, role: Role): void {
    const { access } = this.cluster;
    const use = FUNCTIONS[name].access;
    if (access.kind !== 'eks' || use === 'none' || access.region !== this.copies.primary.region) return;
    new CfnAccessEntry(this, `access-${name}`, {
      clusterName: access.name,
      principalArn: role.roleArn,
      kubernetesGroups: [kubernetesGroups[use]],
    });
  }

  private machine(
    machine: Machine,
    more: Pick<AslMachineProps, 'children' | 'statements' | 'distributedMap'> = {},
  ): AslMachine {
    const functions = [...this.functions]
      .filter(([name]) => FUNCTIONS[name].machine === machine)
      .map(([name, fn]) => [name, fn.function] as const);
    return new AslMachine(this, { cluster: this.cluster.name, machine, functions, ...more });
  }

  private makeSchedules(backup: AslMachine, verify: AslMachine, lock: AslMachine | undefined): Queue {
    const deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14), // the longest there is: a start that failed waits for a person
    });
    const group = new CfnScheduleGroup(this, 'Schedules', { name: scheduleGroupName(this.cluster.name) });
    for (const plan of this.cluster.plans)
      new BackupSchedule(this, { plan, group, machine: backup.stateMachine, deadLetters });
    const measuring = this.functions.get('measure-vault') as PipelineFunction;
    new MeasureSchedule(this, { group, function: measuring.function });
    const start = (name: string, machine: AslMachine, schedule: string, timeZone: string) =>
      new MachineSchedule(this, {
        name,
        schedule,
        timeZone,
        input: {},
        group,
        machine: machine.stateMachine,
        deadLetters,
      });
    const { enabled, schedule, timeZone } = this.cluster.verification;
    if (enabled) start(VERIFY_SCHEDULE, verify, schedule, timeZone);
    if (lock) start(LOCK_SCHEDULE, lock, LOCK_INTERVAL.schedule, LOCK_INTERVAL.timeZone);
    return deadLetters;
  }
}
