// Three network namespaces in a row: a laptop, a server that is this thread, and what lies outside. The server's end of the laptop's
// cable is called ppp0. Needs root and `ip`.

import { writeFileSync } from "node:fs";
import { enterNetns, ip } from "./netns.ts";
import { until } from "./patience.ts";

export const LAPTOP = "10.9.0.2";
export const SERVER = "10.9.0.1";
export const SERVER_OUTSIDE = "192.0.2.1";
export const OUTSIDE = "192.0.2.2";

export interface Place {
  /** Runs a command there. Returns what it wrote to stdout, and its exit code. */
  run(...command: string[]): Promise<{ output: string; exitCode: number }>;
}

interface HeldPlace extends Place {
  readonly pid: number;
  start(...command: string[]): void;
  close(): Promise<void>;
}

async function hold(): Promise<HeldPlace> {
  const holder = Bun.spawn(["unshare", "--net", "sh", "-c", "ip link set lo up && echo $$ && read _"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const reader = holder.stdout.getReader();
  const { value } = await reader.read();
  const pid = Number(new TextDecoder().decode(value));
  const argv = (command: string[]): string[] => ["nsenter", `--net=/proc/${pid}/ns/net`, "--", ...command];
  const started: Bun.Subprocess[] = [];
  return {
    pid,
    async run(...command) {
      const child = Bun.spawn(argv(command), { stdio: ["ignore", "pipe", "ignore"] });
      const output = await child.stdout.text();
      return { output, exitCode: await child.exited };
    },
    start(...command) {
      started.push(Bun.spawn(argv(command), { stdio: ["ignore", "ignore", "ignore"] }));
    },
    async close() {
      for (const child of started) child.kill("SIGKILL");
      await Promise.all(started.map(({ exited }) => exited));
      holder.stdin.end();
      await holder.exited;
    },
  };
}

export interface ThreeNetworks {
  readonly laptop: Place;
  readonly outside: Place;
  close(): Promise<void>;
}

const PATIENCE_SECONDS = 60;
/** When one direction has ended, the other one may take so long. */
const OUTLASTING = `-t${PATIENCE_SECONDS}`;

/** Ports of the laptop and of the outside answer with the caller's address. */
const ANSWERING = 'echo "$SOCAT_PEERADDR"';

export async function threeNetworks(): Promise<ThreeNetworks> {
  const leave = enterNetns();
  const places = await Promise.all([hold(), hold()]);
  const close = async (): Promise<void> => {
    await Promise.all(places.map((place) => place.close()));
    leave();
  };
  try {
    await connect(...places);
  } catch (error) {
    await close();
    throw error;
  }
  const [laptop, outside] = places;
  return { laptop, outside, close };
}

async function connect(laptop: HeldPlace, outside: HeldPlace): Promise<void> {
  // A new namespace has what the machine's own has.
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "0");
  ip("link", "set", "lo", "up");
  ip("link", "add", "ppp0", "type", "veth", "peer", "name", "wire", "netns", String(laptop.pid));
  ip("link", "add", "eth0", "type", "veth", "peer", "name", "wire", "netns", String(outside.pid));
  ip("addr", "add", SERVER, "peer", LAPTOP, "dev", "ppp0");
  ip("addr", "add", `${SERVER_OUTSIDE}/24`, "dev", "eth0");
  // The cable takes small packets only, and the laptop does not know.
  ip("link", "set", "ppp0", "up", "mtu", "576");
  ip("link", "set", "eth0", "up");
  ip("route", "add", "default", "via", OUTSIDE);
  await laptop.run("ip", "addr", "add", LAPTOP, "peer", SERVER, "dev", "wire");
  await outside.run("ip", "addr", "add", `${OUTSIDE}/24`, "dev", "wire");
  for (const place of [laptop, outside]) await place.run("ip", "link", "set", "wire", "up");
  await laptop.run("ip", "route", "add", "default", "via", SERVER);
  for (const [place, address] of [
    [laptop, LAPTOP],
    [outside, OUTSIDE],
  ] as const) {
    place.start("socat", OUTLASTING, `TCP-LISTEN:80,bind=${address},fork,reuseaddr`, `SYSTEM:${ANSWERING}`);
    await until("the port is open", async () => (await place.run("ss", "-Hltn")).output !== "");
  }
}

/** The address that the other end saw of a caller. "": it did not answer. */
export async function call(from: Place, address: string, port = 80, seconds = PATIENCE_SECONDS): Promise<string> {
  const { output } = await from.run("socat", OUTLASTING, "-", `TCP:${address}:${port},connect-timeout=${seconds}`);
  return output.trim();
}

/** The same for a program on the server. */
export async function callFromServer(address: string, port: number): Promise<string> {
  const child = Bun.spawn(["socat", OUTLASTING, "-", `TCP:${address}:${port},connect-timeout=${PATIENCE_SECONDS}`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  return (await child.stdout.text()).trim();
}

/** What keeps the tests from running here. Undefined: nothing. */
export function missingPrograms(...programs: readonly string[]): string | undefined {
  const PATH = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const missing = programs.filter((program) => Bun.which(program, { PATH }) === null);
  return missing.length === 0 ? undefined : `${missing.join(", ")} not installed`;
}
