/** The least that any reader of a log does in JavaScript: each line of a file through JSON.parse. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , file = ''] = process.argv;
let lines = 0;
for await (const line of createInterface(createReadStream(file, { highWaterMark: 1 << 20 }))) {
  JSON.parse(line);
  lines += 1;
}
console.log(lines);
