// Two links to a server with the Internet behind it: a laptop with our pppd, and a guest with Debian's pppd.

import { chmodSync } from "node:fs";
import { type Cable, openCable } from "../kit/cable.ts";
import { FETCHED_ENV, fetched, fetchedMissing } from "../kit/fetched.ts";
import { type Internet, openInternet } from "../kit/internet.ts";
import { Lab, missing as labMissing } from "../kit/lab.ts";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { NAME, OUTSIDE, type Served, someFile } from "../kit/outside-servers.ts";
import { built, builtFor, Program } from "../kit/program.ts";
import type { Place } from "./outside-checks.ts";
import { FIRST_ANSWER, FORWARDED, takeKey } from "./outside-checks.ts";
import { PATIENT, PATIENT_WORDS } from "./patient-options.ts";

export const GATEWAY = "10.0.0.1";
export const GUEST_GATEWAY = "10.0.1.1";
const TOOLS = ["setpriv", "ip", "ping", "curl", "wget", "ssh", "scp", "iperf3"];
const UP = "remote IP address";
const WORDS = ["nodetach", "noauth", "local", "noccp", "novj"];
/** Where the server keeps what goes over the laptop's line. */
const RECORD = "/run/nobody/record";

/** The laptop's ip-up: asks a server outside once, as soon as the link is up. */
const FIRST_QUERY = `#!/bin/sh
export LD_LIBRARY_PATH=${FETCHED_ENV.LD_LIBRARY_PATH}
${fetchedMissing() === undefined ? fetched("dig") : "dig"} +tries=1 +timeout=60 +short @${OUTSIDE} ${NAME} >/run/asked
mv /run/asked ${FIRST_ANSWER}
`;

/** Why there can be no such links, as text, or undefined. */
export const linksMissing: string | undefined =
  (process.getuid?.() === 0 ? undefined : "needs root for the servers") ??
  machinesMissing() ??
  tunMissing() ??
  labMissing() ??
  fetchedMissing() ??
  TOOLS.filter((tool) => Bun.which(tool) === null).map((tool) => `${tool} is not installed`)[0];

export interface Links extends Place {
  /** The guest with Debian's pppd, at the address of its name. */
  readonly guest: Lab;
  /** The server's pppd for the laptop. */
  readonly server: Program;
  /** What goes over the laptop's line, as pppd's record. */
  readonly record: string;
  /** The laptop's. */
  readonly cable: Cable;
  close(): Promise<void>;
}

/** `prefix` starts the server's pppd, `share` are its options for the way to the Internet. */
export async function openLinks(prefix: readonly string[], share: readonly string[]): Promise<Links> {
  const file = someFile("file.bin", 200_000, 1);
  const cables = await Promise.all([openCable(), openCable()]);
  const opened = await openSides(file, cables);
  const { laptop, net } = opened;
  for (const { b } of cables) chmodSync(b, 0o666);
  await net.server.run("sh", "-c", "mkdir -m 777 /run/nobody; echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range");
  const serve = (tty: string, gateway: string, ...more: string[]): Program => {
    const words = [`/dev/${tty}`, ...WORDS, "silent", `${gateway}:${gateway.replace(/1$/, "2")}`, ...share, ...more];
    return new Program([...prefix, builtFor(net.server, "pppd"), ...words], { machine: net.server });
  };
  const server = serve("ttyS1", GATEWAY, "record", RECORD, "forward", `${FORWARDED}=${FORWARDED}/tcp`);
  const other = serve("ttyS2", GUEST_GATEWAY);
  const client = new Program([built("pppd"), "/dev/ttyS0", ...WORDS, "defaultroute", "usepeerdns"], {
    machine: laptop,
  });
  const guest = await Lab.run({ attach: cables[1]!.a });
  await guest.start(`pppd /dev/ttyS1 ${[...WORDS, "defaultroute", "usepeerdns", ...PATIENT_WORDS].join(" ")}`);
  await Promise.all([server.waitFor(UP), other.waitFor(UP), client.waitFor(UP), guest.waitFor(UP, { within: 60_000 })]);
  // Linux sets no default route of IPv6 by pppd.
  await laptop.run("ip", "-6", "route", "add", "default", "dev", "ppp0");
  const resolver = "cat /etc/ppp/resolv.conf >/etc/resolv.conf; echo options timeout:30 attempts:5 >>/etc/resolv.conf";
  await laptop.run("sh", "-c", resolver);
  await guest.exec(`${resolver}; sed -i '/^hosts/s/$/ dns/' /etc/nsswitch.conf`);
  const close = async (): Promise<void> => {
    await guest.stop();
    await Promise.all([client, server, other].map((program) => program.stop()));
    await closeMachines();
    await Promise.all(cables.map((cable) => cable.close()));
  };
  return {
    ...opened,
    file,
    gateway: GATEWAY,
    guest,
    server,
    record: net.server.path(RECORD),
    cable: cables[0]!,
    close,
  };
}

async function openSides(file: Served, [first, second]: Cable[]): Promise<Pick<Place, "laptop" | "net">> {
  const options = { "/etc/ppp/options": PATIENT };
  const [laptop, net]: [Place["laptop"], Internet] = await Promise.all([
    openMachine("laptop", { ttys: { ttyS0: first!.a }, files: { ...options, "/etc/ppp/ip-up": FIRST_QUERY } }),
    openInternet(file, { ttys: { ttyS1: first!.b, ttyS2: second!.b }, files: options }),
  ]);
  takeKey({ laptop, net });
  return { laptop, net };
}
