import type { OnProgress, ProgressLine } from './progress.ts';

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const FRAME_MS = 100;

/** Progress as lines for a log; on a terminal also one live line of what is being done now and for how long. */
export function progressPrinter(out: NodeJS.WriteStream = process.stdout): OnProgress {
  return out.isTTY ? live(out) : (line) => out.write(`${inWords(line)}\n`);
}

function inWords({ name, state, seconds }: ProgressLine): string {
  const time = state === 'done' || state === 'failed' ? ` after ${seconds.toFixed(1)} s` : '';
  return `${state.padEnd(7)} ${name}${time}`;
}

/** What has ended stands above; the last line turns while anything is open, and goes away with it. */
function live(out: NodeJS.WriteStream): OnProgress {
  const open = new Map<string, number>();
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = () => {
    const now = performance.now();
    const doing = [...open].map(([name, began]) => `${name} ${Math.round((now - began) / 1000)} s`);
    const text = `${FRAMES[frame++ % FRAMES.length]} ${doing.join(' · ')}`;
    out.write(`\r\x1b[2K${text.slice(0, (out.columns || 80) - 1)}`);
  };
  return (line) => {
    if (line.state === 'started') open.set(line.name, performance.now());
    else {
      open.delete(line.name);
      out.write(`\r\x1b[2K${inWords(line)}\n`);
    }
    clearInterval(timer);
    if (open.size === 0) return out.write('\r\x1b[2K');
    draw();
    timer = setInterval(draw, FRAME_MS).unref();
    return true;
  };
}
