/** Processes as the system knows them: a tree's members, whether one lives, and the hardest end. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

interface Row {
  readonly pid: number;
  readonly parent: number;
  /** `Z` for one that has ended and whose parent has not taken notice. */
  readonly state: string;
}

/** The process and all below it, the deepest last. */
export function treeOf(pid: number): number[] {
  const rows = processTable();
  const tree = [pid];
  for (const member of tree)
    tree.push(...rows.filter(({ parent }) => parent === member).map((row) => row.pid));
  return tree;
}

/** The runtime's own process among those of a server. */
export function workerdOf(pid: number): number[] {
  return treeOf(pid).filter((member) => commandOf(member).endsWith('workerd'));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
  } catch {
    return '';
  }
}

/** Resident memory; 0 for a process that is gone, and where the system does not tell. */
export function residentMiB(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

/** Those of the processes that are still running. */
export function living(pids: readonly number[]): number[] {
  const running = new Set(
    processTable()
      .filter(({ state }) => !state.startsWith('Z'))
      .map(({ pid }) => pid),
  );
  return pids.filter((pid) => running.has(pid));
}

/** `kill -9`, the deepest first, so that no parent can tidy up. */
export function killNow(pids: readonly number[]): void {
  for (const pid of pids.toReversed())
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
}

/** Linux tells by files, which works in images that have no `ps`. */
function processTable(): Row[] {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs();
}

function fromProc(): Row[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The command's name, in parentheses, may hold anything.
        const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return [{ pid: Number(name), parent: Number(parent), state }];
      } catch {
        return [];
      }
    });
}

function fromPs(): Row[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state='], { encoding: 'utf8' });
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, state = ''] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state };
    });
}
