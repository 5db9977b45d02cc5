/** A process and all below it: their CPU time, and holding them still. Reads Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel counts CPU time in (`getconf CLK_TCK`; 100 on every Linux that runs Node). */
const TICK_MS = 10;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly cpuMs: number;
}

/** The process first; a child never comes before its parent. */
function treeOf(pid: number): Process[] {
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? processOf(name) : []));
  const tree = all.filter((one) => one.pid === pid);
  for (const member of tree) tree.push(...all.filter(({ parent }) => parent === member.pid));
  return tree;
}

function processOf(name: string): Process[] {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
    // The command's name, in parentheses, may hold anything. The fields are those of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    return [{ pid: Number(name), parent: Number(fields[1]), command, cpuMs }];
  } catch {
    return []; // It ended just now.
  }
}

/** CPU time so far, in milliseconds: of all, or of those whose command is so. */
export function cpuMsOf(pid: number, command = /^/): number {
  return treeOf(pid)
    .filter((one) => command.test(one.command))
    .reduce((sum, one) => sum + one.cpuMs, 0);
}

/** Holds a tree still or lets it go on; not its keepers, which end it should we die meanwhile. */
export function signalTree(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const member of treeOf(pid)) {
    if (member.command.includes('keep.mjs')) continue;
    try {
      process.kill(member.pid, signal);
    } catch {
      // It ended just now.
    }
  }
}
