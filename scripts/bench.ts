// How fast it is: npm run bench [-- --quick]

import { consola } from "consola";
import { parseArgs } from "node:util";
import { benchFraming } from "./bench/framing.ts";
import { benchProgram } from "./bench/program.ts";

const { quick = false } = parseArgs({ options: { quick: { type: "boolean" } } }).values;
consola.start("Framing alone, asyncmap 0, payload");
benchFraming(quick);
consola.start(`The whole program against the C yardstick${quick ? "" : " (about five minutes; -- --quick: two)"}`);
try {
  await benchProgram(quick);
} catch (error) {
  consola.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
