// Resources as JSON lines on standard input; on standard output for each a JSON list of what the judges have against it.
import { createInterface } from "node:readline";
import { faults } from "./checkers.js";

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(faults(JSON.parse(line)))}\n`);
}
