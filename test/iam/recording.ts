import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Tag = z.object({ Key: z.string(), Value: z.string() });
const Session = z.object({
  type: z.literal('session'),
  key: z.string(),
  /** The access key that called AssumeRole. */
  by: z.string(),
  role: z.string(),
  name: z.string(),
  policy: z.string().nullable(),
  tags: z.array(Tag),
});
const Body = z.looseObject({
  keys: z.array(z.string()).optional(),
  versions: z.number().optional(),
  retainUntil: z.string().optional(),
  mode: z.string().optional(),
});
const Request = z.object({
  type: z.literal('call'),
  /** Seconds since 1970. */
  at: z.number(),
  key: z.string(),
  region: z.string(),
  service: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string(),
  query: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string()),
  target: z.string().optional(),
  agent: z.string(),
  body: Body,
  status: z.number(),
});
const Service = z.object({
  type: z.literal('service'),
  at: z.number(),
  /** ARN of an execution, a schedule or a role. */
  by: z.string().nullable(),
  action: z.string(),
  resource: z.string(),
  context: z.record(z.string(), z.string()).optional(),
});
const Line = z.discriminatedUnion('type', [
  Session,
  Request,
  Service,
  z.object({ type: z.literal('function'), key: z.string(), function: z.string(), role: z.string() }),
  z.object({ type: z.literal('full') }),
  z.object({ type: z.literal('broken') }),
]);

/** Credentials that AssumeRole gave out. */
export type Session = z.infer<typeof Session>;
/** A request at the door of the emulator. */
export type Request = z.infer<typeof Request>;
/** What a service of the emulator did without a request. */
export type Service = z.infer<typeof Service>;

/** What world/emulator/recorder.py wrote. */
export interface Recording {
  readonly requests: readonly Request[];
  readonly services: readonly Service[];
  /** Names of functions by their access keys. */
  readonly functions: ReadonlyMap<string, string>;
  /** Sessions by their access keys. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** What the recording lacks, in words. */
  readonly gaps: readonly string[];
}

/** Reads a recording. A line that is not the recorder's throws. */
export function parseRecording(text: string): Recording {
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => Line.parse(JSON.parse(line)));
  const of = <T extends z.infer<typeof Line>['type']>(type: T) =>
    lines.filter((line): line is Extract<z.infer<typeof Line>, { type: T }> => line.type === type);
  return {
    requests: of('call'),
    services: of('service'),
    functions: new Map(of('function').map((line) => [line.key, line.function])),
    sessions: new Map(of('session').map((line) => [line.key, line])),
    gaps: [
      ...of('full').map(() => 'the recording is full: raise LIMIT in world/emulator/recorder.py'),
      ...of('broken').map(() => 'the recorder failed on a call: look at world/emulator/recorder.py'),
    ],
  };
}

/** A deployment into the world: the text of its holdfast.yaml and its templates by the names of their stacks. */
export interface Deployment {
  readonly config: string;
  readonly templates: Readonly<Record<string, unknown>>;
}

/** The deployments that `deploy` of world/deploy.ts kept, oldest first. */
export function readDeployments(folder: string): Deployment[] {
  if (!existsSync(folder)) return [];
  const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8');
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const files = readdirSync(join(folder, name)).filter((file) => file.endsWith('.template.json'));
      const stack = (file: string) => file.replace('.template.json', '');
      return {
        config: read(name, 'holdfast.yaml'),
        templates: Object.fromEntries(
          files.map((file): [string, unknown] => [stack(file), JSON.parse(read(name, file))]),
        ),
      };
    });
}
