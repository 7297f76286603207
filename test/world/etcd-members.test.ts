import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { leaderIn } from '../../functions/core/backup/control-plane.ts';
import { debian } from '../../world/tools/debian.ts';
import { folderOf } from '../../world/tools/provide.ts';

// A cluster of three members of its own: the sandbox's etcd has one.
const MEMBERS = ['a', 'b', 'c'];
const client = (member: string) => `http://127.0.0.1:${24_000 + MEMBERS.indexOf(member)}`;
const peer = (member: string) => `http://127.0.0.1:${25_000 + MEMBERS.indexOf(member)}`;
const folder = mkdtempSync(join(tmpdir(), 'holdfast-etcd-'));
const bin = (program: string) => join(folderOf(debian), 'usr/bin', program);
const servers = new Map<string, ChildProcess>();

function start(member: string): void {
  const args = [
    ...['--name', member, '--data-dir', join(folder, member), '--log-level', 'error'],
    ...['--listen-client-urls', client(member), '--advertise-client-urls', client(member)],
    ...['--listen-peer-urls', peer(member), '--initial-advertise-peer-urls', peer(member)],
    ...['--initial-cluster', MEMBERS.map((m) => `${m}=${peer(m)}`).join()],
  ];
  servers.set(member, spawn(bin('etcd'), args, { stdio: 'ignore' }));
}

const etcdctl = (...args: string[]) =>
  spawnSync(bin('etcdctl'), ['--command-timeout=5s', ...args], { encoding: 'utf8' });

/** Who leads, as the Job of a backup asks: every member, dead ones too, and all that etcdctl writes. */
function leader(): string | undefined {
  const { stdout, stderr } = etcdctl(
    '--endpoints',
    MEMBERS.map(client).join(),
    'endpoint',
    'status',
    '-w',
    'json',
  );
  return leaderIn(stderr + stdout, MEMBERS.map(client));
}

async function untilLed(by: (url: string | undefined) => boolean): Promise<string | undefined> {
  for (let tries = 0; tries < 50 && !by(leader()); tries++) await sleep(200);
  return leader();
}

beforeAll(async () => {
  for (const member of MEMBERS) start(member);
  await untilLed((url) => url !== undefined);
});
afterAll(() => {
  for (const server of servers.values()) server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

it('the leader of three members is found, whichever it is', async () => {
  for (const member of MEMBERS) {
    const { stdout } = etcdctl('--endpoints', client(member), 'endpoint', 'status', '-w', 'fields');
    const id = BigInt(/"MemberID" : (\d+)/.exec(stdout)?.[1] ?? 0).toString(16);
    const now = (await untilLed((url) => url !== undefined)) as string;
    if (now !== client(member)) expect(etcdctl('--endpoints', now, 'move-leader', id).stderr).toBe('');
    expect(await untilLed((url) => url === client(member))).toBe(client(member));
  }
});

it('a leader that dies is followed by one of those that answer', async () => {
  const before = (await untilLed((url) => url !== undefined)) as string;
  const dead = MEMBERS.find((m) => client(m) === before) as string;
  servers.get(dead)?.kill('SIGKILL');
  const after = await untilLed((url) => url !== undefined && url !== before);
  expect(MEMBERS.filter((m) => m !== dead).map(client)).toContain(after);
});
