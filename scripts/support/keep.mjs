/**
 * Leads a process group and runs one command in it: `keep.mjs <command> <arguments…>`. When its
 * standard input ends, which also happens when whoever started it dies, the group ends: politely
 * first, by force after a few seconds. See group.mjs.
 */
import { spawn } from 'node:child_process';

const PATIENCE_MS = 4_000;

const [command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
let ending = false;

child.on('error', (error) => {
  console.error(`${command}: ${error.message}`);
  process.exit(127);
});
child.on('exit', (code) => {
  if (ending) killGroup();
  process.exit(code ?? 1);
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
process.stdin.on('close', end);
process.stdin.on('error', end);
process.stdin.resume();

function end() {
  if (ending) return;
  ending = true;
  child.kill('SIGTERM');
  setTimeout(killGroup, PATIENCE_MS);
}

/** This process too: it leads the group. */
function killGroup() {
  process.kill(-process.pid, 'SIGKILL');
}
