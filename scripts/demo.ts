// Runs the Serial-Laplink HOWTO on one machine: two network namespaces with a virtual null-modem cable at 115200, the
// HOWTO's files and its two commands, a ping, a file copy over TCP, and a check that nothing is left behind. In a second act
// (demo/meeting.ts) two commands without files find each other on a cable of unknown speed. In a third (demo/internet.ts) the
// client fetches a page from beyond the server. In the last (demo/carry.ts) a folder arrives although the cable is pulled out.

import { consola } from "consola";
import { colors } from "consola/utils";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openCable, type Cable } from "../test/kit/cable.ts";
import { closeMachines, machinesMissing, tunMissing } from "../test/kit/machine.ts";
import { built, isBuilt, Program } from "../test/kit/program.ts";
import { carry } from "./demo/carry.ts";
import { internet } from "./demo/internet.ts";
import { meeting } from "./demo/meeting.ts";
import { endBoth, openSide, runIn, secondsGone, show, type Side, start, startClock, UP_MS } from "./demo/stage.ts";

const FILES = join(import.meta.dir, "../fixtures/howto");
const SERVER_ADDRESS = "192.168.0.1";
const BAUD = 115200;
const FILE_SIZE = 120_000;
const PORT = 2000;

const interactive = process.stdout.isTTY === true;
// The lines have a time of their own.
consola.options.formatOptions = { ...consola.options.formatOptions, date: false };

/** The most that TCP can carry on the line: ten bits a byte; 52 octets of headers and 6 of framing in each packet. */
function tcpLimit(mtu: number): number {
  const escaped = 258 / 256; // 7d and 7e in random data
  return ((BAUD / 10) * (mtu - 52)) / ((mtu + 4) * escaped + 3);
}

function drawProgress(bytes: number, ms: number, limit: number): void {
  const { done, left, text } = progress(bytes, ms, limit, process.stdout.columns || 80);
  process.stdout.write(`\r  ${colors.green(done)}${colors.dim(left)} ${text}\x1b[K`);
}

const WIDEST_BAR = 30;

/** Formats a progress line that stays short of the last column, where a terminal would wrap. */
export function progress(
  bytes: number,
  ms: number,
  limit: number,
  columns: number,
): { done: string; left: string; text: string } {
  const rate = ms > 0 ? (bytes * 1000) / ms : 0;
  const share = ((100 * rate) / limit).toFixed(0);
  const text =
    `${String(Math.round(bytes / 1000)).padStart(4)} of ${FILE_SIZE / 1000} kB  ` +
    `${(rate / 1000).toFixed(2)} kB/s, ${share.padStart(3)} % of the line`;
  const room = Math.max(0, columns - "   ".length - 1);
  const width = Math.min(WIDEST_BAR, Math.max(0, room - text.length));
  const full = Math.min(width, Math.round((width * bytes) / FILE_SIZE));
  return { done: "█".repeat(full), left: "░".repeat(width - full), text: text.slice(0, room) };
}

async function copyFile(server: Side, client: Side): Promise<void> {
  const limit = tcpLimit(1500);
  consola.start(`The client fetches a file of ${FILE_SIZE / 1000} kB from the server over TCP`);
  const file = "/run/howto.bin";
  writeFileSync(server.machine.path(file), randomBytes(FILE_SIZE));
  const script = join(import.meta.dir, "demo/copy.ts");
  const words = [SERVER_ADDRESS, String(PORT), file];
  const sender = new Program([process.execPath, script, "serve", ...words], { machine: server.machine });
  await sender.waitFor("listening");
  let last = [0, 0];
  await runIn(client, "copy.ts", ["fetch", ...words], (text) => {
    last = text.split(" ").map(Number);
    if (interactive) drawProgress(last[0]!, last[1]!, limit);
  });
  if (interactive) process.stdout.write("\r\x1b[K");
  await sender.exit();
  const [bytes = 0, ms = 0] = last;
  const rate = (bytes * 1000) / ms;
  const sums = [server, client].map(({ machine }) => sha256(machine.path(file)));
  if (sums[0] !== sums[1]) throw new Error(`the copy differs: sha256 ${sums.join(" and ")}`);
  consola.success(
    `${bytes} bytes in ${(ms / 1000).toFixed(1)} s: ${rate.toFixed(0)} bytes/s\n` +
      `  ${((100 * rate) / limit).toFixed(1)} % of the ${limit.toFixed(0)} that TCP can have of ${BAUD} bit/s\n` +
      `  sha256 ${sums[0]!.slice(0, 16)}… on both sides`,
  );
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

async function session(cable: Cable): Promise<boolean> {
  if (!isBuilt()) consola.start("Building dist/nullmodem");
  const pppd = built("pppd");
  startClock();
  const server = await openSide("griis", "server", "ttyS1", cable.b, join(FILES, "server"));
  const client = await openSide("wylg", "client", "ttyS0", cable.a, join(FILES, "client"));

  const serverPppd = start(server, pppd, "/dev/ttyS1", "-detach");
  await serverPppd.waitFor(/^Connect: /, { within: UP_MS });
  const clientPppd = start(client, pppd, "/dev/ttyS0", "-detach");
  for (const program of [clientPppd, serverPppd]) await program.waitFor(/^remote IP address/, { within: UP_MS });

  consola.start("The client pings the server");
  await runIn(client, "ping.ts", [SERVER_ADDRESS, "4"], (text) => show(client.tag, text));
  await copyFile(server, client);

  const clean = await endBoth([client, clientPppd], [server, serverPppd]);
  await closeMachines();
  return clean;
}

async function main(): Promise<number> {
  const missing = machinesMissing() ?? tunMissing();
  if (missing !== undefined) {
    consola.error(`The demo needs two network namespaces and a TUN device.\n${missing}`);
    return 1;
  }
  consola.info(
    `The Serial-Laplink HOWTO on one machine: its files (fixtures/howto) and a\n` +
      `  virtual null-modem cable at ${BAUD}. ${colors.cyan("server")} is griis with /dev/ttyS1,\n` +
      `  ${colors.yellow("client")} is wylg with /dev/ttyS0. Ctrl-C ends it.`,
  );
  const cables: Cable[] = [];
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => reject(new Error(signal)));
  });
  try {
    const run = async (): Promise<boolean> => {
      const cable = await openCable({ baud: BAUD });
      cables.push(cable);
      const first = await session(cable);
      const made = (another: Cable): void => void cables.push(another);
      const second = await meeting(made);
      const third = await internet(made);
      return (await carry(made)) && third && second && first;
    };
    const clean = await Promise.race([run(), interrupted]);
    if (clean) consola.success(`Done in ${secondsGone().toFixed(0)} s`);
    return clean ? 0 : 1;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (/^SIG/.test(reason)) {
      consola.warn(`${reason}: cleaning up`);
      return reason === "SIGINT" ? 130 : 143;
    }
    consola.error(reason);
    return 1;
  } finally {
    await closeMachines();
    await Promise.all(cables.map((cable) => cable.close()));
  }
}

if (import.meta.main) process.exit(await main());
