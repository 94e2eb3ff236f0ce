// Measures the program's speed: npm run bench [-- --quick]

import { consola } from "consola";
import { parseArgs } from "node:util";
import { benchCodecs } from "./bench/codecs.ts";
import { benchFraming } from "./bench/framing.ts";
import { benchProgram } from "./bench/program.ts";
import { benchSlowLine } from "./bench/slowline.ts";
import { benchVj } from "./bench/vj.ts";

const { quick } = wishesOf();
consola.start("Framing alone, asyncmap 0, payload");
benchFraming(quick);
consola.start("Header compression (VJ)");
benchVj(quick);
consola.start("Compression and encryption, packets of 1500 octets, this process's CPU");
benchCodecs(quick);
consola.start(`The whole program against the C yardstick${quick ? "" : " (about five minutes; -- --quick: two)"}`);
try {
  await benchProgram(quick);
  consola.start("What a line of 115200 baud carries, compressed and not");
  await benchSlowLine(quick);
} catch (error) {
  consola.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function wishesOf(): { quick: boolean } {
  try {
    const { quick = false } = parseArgs({ options: { quick: { type: "boolean" } } }).values;
    return { quick };
  } catch (error) {
    console.error(`${(error as Error).message} bench knows --quick.`);
    process.exit(2);
  }
}
