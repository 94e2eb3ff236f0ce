// The last act of the demo: the client sends a folder, the cable is pulled out and plugged in again, and the hashes agree.

import { consola } from "consola";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Cable, openCable } from "../../test/kit/cable.ts";
import { closeMachines } from "../../test/kit/machine.ts";
import { until } from "../../test/kit/patience.ts";
import { built } from "../../test/kit/program.ts";
import { endBoth, openSide, start, UP_MS } from "./stage.ts";

const SPEED = 115200;
const SIZES = { "beach.jpg": 90_000, "dog.jpg": 20_000, "list.txt": 2000 };
const FOLDER = "/run/photos";
const SHARED = "/var/lib/pub";
/** The cable is pulled out when so much of the folder has come. */
const PULLED_AT = 50_000;
const UP = /^remote IP address ([\d.]+)/;

/** `made` is told of the cable. True: all went well, and nothing is left. */
export async function carry(made: (cable: Cable) => void): Promise<boolean> {
  const cable = await openCable({ baud: SPEED });
  made(cable);
  consola.info(
    `Last act: the server gives a folder, and the client puts photos into it. The cable is\n` +
      `  pulled out meanwhile, and plugged in again.`,
  );
  const server = await openSide("griis", "server", "ttyS1", cable.b);
  const client = await openSide("wylg", "client", "ttyS0", cable.a);
  const photos = client.machine.path(FOLDER);
  const shared = server.machine.path(SHARED);
  for (const folder of [photos, shared]) mkdirSync(folder, { recursive: true });
  chmodSync(shared, 0o777);
  for (const [name, size] of Object.entries(SIZES)) writeFileSync(join(photos, name), randomBytes(size));
  const nullmodem = built();
  const speed = ["--speed", String(SPEED)];
  const echoes = ["lcp-echo-interval", "1", "lcp-echo-failure", "3"];
  const files = ["files", SHARED, "files-write"];
  const serving = start(server, nullmodem, "serve", "ttyS1", ...speed, "--", ...echoes, ...files);
  const joining = start(client, nullmodem, "join", "ttyS0", ...speed, "--", ...echoes);
  const up = await joining.waitFor(UP, { within: UP_MS });
  const putting = start(client, nullmodem, "put", FOLDER, `http://${UP.exec(up.text)![1]}/`);
  await until("half of the folder has come", () => octetsIn(shared) > PULLED_AT);
  await cable.cut();
  consola.warn(`The cable is pulled out: ${octetsIn(shared)} octets have come`);
  await putting.waitFor("Waiting");
  await cable.mend();
  consola.start("The cable is plugged in again");
  const status = await putting.exit(60_000);
  const sums = [photos, join(shared, "photos")].map(hashOf);
  if (status !== 0 || sums[0] !== sums[1]) throw new Error(`put ended with ${status}: sha256 ${sums.join(" and ")}`);
  consola.success(`The folders are the same: sha256 ${sums[0]!.slice(0, 16)}… of all files on both sides`);
  const clean = await endBoth([client, joining], [server, serving]);
  await closeMachines();
  return clean;
}

/** With what has come of unfinished files. */
function octetsIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? octetsIn(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0));
  }, 0);
}

function hashOf(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  return hash.digest("hex");
}
