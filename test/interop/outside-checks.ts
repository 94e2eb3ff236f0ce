// What the programs of a machine behind the link do with the servers of outside, whichever way the link's other end carries their
// packets. Each check throws, or returns what is wrong.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { Cable } from "../kit/cable.ts";
import { FETCHED_ENV, fetched } from "../kit/fetched.ts";
import { type Internet, ROUTER, ROUTER6, SERVER } from "../kit/internet.ts";
import type { Lab } from "../kit/lab.ts";
import type { Machine } from "../kit/machine.ts";
import {
  FILES,
  INCOMING,
  LONG_NAME,
  NAME,
  OUTSIDE,
  OUTSIDE6,
  type Served,
  someFile,
  SSH_KEY,
} from "../kit/outside-servers.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { Program } from "../kit/program.ts";

export interface Place {
  readonly laptop: Machine;
  readonly net: Internet;
  readonly file: Served;
  /** The server's address on the link. */
  readonly gateway: string;
}

/** Where the laptop has the answer to a query that it sent as soon as the link was up. */
export const FIRST_ANSWER = "/run/first-answer";

/** A port of the server that leads to the laptop. */
export const FORWARDED = 20_021;

type Check = (place: Place) => Promise<string>;

/** Runs a program of the laptop to its end. Returns its output. Throws when it fails. */
async function said({ laptop }: Place, ...command: string[]): Promise<string> {
  const program = new Program(command, { machine: laptop, env: FETCHED_ENV });
  const status = await program.exit();
  if (status !== 0) throw new Error(`${command.join(" ")}: status ${status}:\n${program.text}`);
  return program.text;
}

function sum(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}

/** Compares what came to the laptop, or to a place below the offered folder of outside, with the file. */
function compared({ net, laptop, file }: Place, path: string, isOutside = false): string {
  const octets = readFileSync((isOutside ? net.outside : laptop).path(path));
  if (sum(octets) === sum(file.octets)) return "";
  return `${path}: ${octets.length} octets that differ from the file's ${file.octets.length}`;
}

function expected(text: string, ...patterns: RegExp[]): string {
  const lacking = patterns.filter((pattern) => !pattern.test(text));
  return lacking.length === 0 ? "" : `no ${lacking.join(", ")} in:\n${text}`;
}

const SSH = [
  "-i",
  SSH_KEY,
  "-o",
  "StrictHostKeyChecking=no",
  "-o",
  "UserKnownHostsFile=/dev/null",
  "-o",
  "BatchMode=yes",
];

/** Gives the laptop the key for outside's sshd. */
export function takeKey({ net, laptop }: Pick<Place, "laptop" | "net">): void {
  copyFileSync(net.outside.path(SSH_KEY), laptop.path(SSH_KEY));
}

async function iperf(place: Place, ...words: string[]): Promise<string> {
  const report = JSON.parse(await said(place, "iperf3", "-c", OUTSIDE, "--json", ...words)) as {
    error?: string;
    end: { sum_received?: { bytes: number }; sum?: { bytes: number; lost_packets: number } };
  };
  const { sum_received: stream, sum: datagrams } = report.end;
  const received = stream?.bytes ?? datagrams?.bytes ?? 0;
  return report.error === undefined && received > 0 ? "" : JSON.stringify(report.end);
}

async function dig(place: Place, ...words: string[]): Promise<string> {
  return said(place, fetched("dig"), "+tries=1", "+timeout=60", ...words);
}

async function ftp(place: Place, to: string, ...words: string[]): Promise<string> {
  const incoming = `${INCOMING}/${to}`;
  const from = `/run/${to}`;
  await said(place, "curl", "-sS", ...words, "-o", place.laptop.path(from), `ftp://${OUTSIDE}/${place.file.name}`);
  await said(place, "curl", "-sS", ...words, "-T", place.laptop.path(from), `ftp://${OUTSIDE}/${incoming}`);
  return compared(place, from) || compared(place, `${FILES}/${incoming}`, true);
}

async function samba(place: Place): Promise<string> {
  const { name } = place.file;
  const commands = `get ${name} /run/samba.bin; cd ${INCOMING}; put /run/samba.bin samba.bin`;
  const share = `//${OUTSIDE}/files`;
  await said(
    place,
    fetched("smbclient"),
    "--configfile=/dev/null",
    "--timeout=120",
    "--no-pass",
    share,
    "--command",
    commands,
  );
  return compared(place, "/run/samba.bin") || compared(place, `${FILES}/${INCOMING}/samba.bin`, true);
}

async function scp(place: Place): Promise<string> {
  const far = `root@${OUTSIDE}:${FILES}`;
  await said(place, "scp", "-q", ...SSH, `${far}/${place.file.name}`, "/run/scp.bin");
  await said(place, "scp", "-q", ...SSH, "/run/scp.bin", `${far}/scp.bin`);
  return compared(place, "/run/scp.bin") || compared(place, `${FILES}/scp.bin`, true);
}

/** The checks for IPv4 by the names of their programs. */
export const CHECKS: Readonly<Record<string, Check>> = {
  "the first packet reaches outside, as soon as the link is up": async ({ laptop }) => {
    const answer = laptop.path(FIRST_ANSWER);
    await until("the answer, or its time-out", () => existsSync(answer), 2 * PATIENCE_MS);
    return expected(readFileSync(answer, "utf8"), new RegExp(`^${OUTSIDE}$`, "m"));
  },
  "curl fetches a page by its name": async (place) => {
    await said(place, "curl", "-4sS", "-o", place.laptop.path("/run/curl.bin"), `http://${NAME}/${place.file.name}`);
    return compared(place, "/run/curl.bin");
  },
  "wget fetches a page by its name": async (place) => {
    await said(place, "wget", "-4q", "-O", place.laptop.path("/run/wget.bin"), `http://${NAME}/${place.file.name}`);
    return compared(place, "/run/wget.bin");
  },
  "ten downloads at once": async (place) => {
    const files = Array.from({ length: 10 }, (_, at) => `/run/one-of-ten-${at}`);
    const words = files.flatMap((file) => ["-o", place.laptop.path(file), `http://${OUTSIDE}/${place.file.name}`]);
    await said(place, "curl", "-sS", "--parallel", "--parallel-immediate", ...words);
    return files.map((file) => compared(place, file)).join("");
  },
  "dig asks by UDP and by TCP": async (place) => {
    const answers = [await dig(place, NAME, "A", "+short"), await dig(place, "+tcp", NAME, "AAAA", "+short")];
    return expected(answers.join(""), new RegExp(`^${OUTSIDE}$`, "m"), new RegExp(`^${OUTSIDE6}$`, "m"));
  },
  "dig gets a long answer, by TCP when it is cut": async (place) => {
    const large = await dig(place, "+bufsize=4096", LONG_NAME, "TXT");
    const cut = await dig(place, "+noedns", LONG_NAME, "TXT");
    return expected(large, /7{200}/, /\(UDP\)/) || expected(cut, /Truncated, retrying in TCP/, /7{200}/);
  },
  "dig asks a server outside itself, and learns of a name that is none": async (place) =>
    expected(await dig(place, `@${OUTSIDE}`, NAME, "A", "+short"), new RegExp(`^${OUTSIDE}$`, "m")) ||
    expected(await dig(place, "none.outside.test"), /status: (NXDOMAIN|REFUSED)/),
  "ssh runs a command": async (place) =>
    expected(await said(place, "ssh", "-n", ...SSH, `root@${OUTSIDE}`, "hostname"), /^outside$/m),
  "scp copies there and back": scp,
  "ping of the server's end, and of outside": async (place) => {
    const pings = [place.gateway, OUTSIDE].map((address) => said(place, "ping", "-nc3", "-i0.2", "-w60", address));
    return (await Promise.all(pings)).map((text) => expected(text, / [3-9] received/)).join("");
  },
  "a ping larger than the link's packets": async (place) =>
    expected(
      await said(place, "ping", "-nc2", "-i0.2", "-w60", "-s4000", OUTSIDE),
      /4008 bytes from .*ttl=/,
      / [2-9] received/,
    ),
  "traceroute sees the server, the router and outside": async (place) => {
    const words = ["-n", "-q1", "-w60", "-N1", OUTSIDE];
    const hops = [` 1 +${place.gateway} `, ` 2 +${ROUTER} `, ` 3 +${OUTSIDE} `].map((hop) => new RegExp(hop));
    const udp = await said(place, fetched("traceroute"), ...words);
    const icmp = await said(place, fetched("traceroute"), "-I", ...words);
    return expected(udp, ...hops) || expected(icmp, ...hops);
  },
  "iperf3 sends, receives, and sends datagrams": async (place) =>
    (await iperf(place, "-n", "1M")) || (await iperf(place, "-R", "-n", "1M")) || iperf(place, "-u", "-b1M", "-n100K"),
  "FTP, passive, both ways": (place) => ftp(place, "ftp-passive.bin"),
  // The laptop names an address and a port that lead to it. No part of the way reads what it says.
  "FTP, active by a forwarded port, both ways": (place) =>
    ftp(place, "ftp-active.bin", "--disable-eprt", "--ftp-port", `${SERVER}:${FORWARDED}-${FORWARDED}`),
  "Samba, both ways": samba,
  "what nobody serves is refused, and what does not exist is unreachable": async ({ laptop }) => {
    const refused = await laptop.run("curl", "-sS", `http://${OUTSIDE}:81/`);
    const nowhere = await laptop.run("ping", "-nc1", "-W60", "198.51.100.99");
    return refused.status === 7
      ? expected(nowhere.stdout, /Unreachable/i)
      : `curl: ${refused.status} ${refused.stderr}`;
  },
};

/** The checks for IPv6. */
export const CHECKS6: Readonly<Record<string, Check>> = {
  "curl and wget fetch a page by IPv6": async (place) => {
    await said(place, "curl", "-6sS", "-o", place.laptop.path("/run/curl6.bin"), `http://${NAME}/${place.file.name}`);
    await said(place, "wget", "-6q", "-O", place.laptop.path("/run/wget6.bin"), `http://${NAME}/${place.file.name}`);
    return compared(place, "/run/curl6.bin") || compared(place, "/run/wget6.bin");
  },
  "ping, traceroute and dig by IPv6": async (place) => {
    const ping = await said(place, "ping", "-6nc3", "-i0.2", "-w60", OUTSIDE6);
    const large = await said(place, "ping", "-6nc2", "-i0.2", "-w60", "-s4000", OUTSIDE6);
    const trace = await said(place, fetched("traceroute"), "-6n", "-q1", "-w60", "-N1", OUTSIDE6);
    const answer = await dig(place, `@${OUTSIDE6}`, NAME, "AAAA", "+short");
    return (
      expected(ping, / [3-9] received/) ||
      expected(large, /4008 bytes from/, / [2-9] received/) ||
      expected(trace, new RegExp(` 2 +${ROUTER6} `), new RegExp(` 3 +${OUTSIDE6} `)) ||
      expected(answer, new RegExp(`^${OUTSIDE6}$`, "m"))
    );
  },
};

const CUT_MS = 5000;
/** The most that it takes on a line which is repaired by TCP alone. */
const DAMAGED_MS = 3 * PATIENCE_MS;

/** A download and an upload at once, over a line with bit errors that is cut for a while. */
export async function survives(place: Place, cable: Cable): Promise<string> {
  const large = someFile("large.bin", 2_000_000, 2);
  const { laptop, net } = place;
  writeFileSync(net.outside.path(`${FILES}/large.bin`), large.octets);
  const small = someFile("up.bin", 1_000_000, 3);
  writeFileSync(laptop.path("/run/up.bin"), small.octets);
  const [down, up] = ["/run/down.bin", `${FILES}/${INCOMING}/up.bin`];
  await cable.damage({ ber: 1e-5, seed: 3 });
  const programs = [
    ["curl", "-sS", "-o", laptop.path(down), `http://${OUTSIDE}/large.bin`],
    ["curl", "-sS", "-T", laptop.path("/run/up.bin"), `ftp://${OUTSIDE}/${INCOMING}/up.bin`],
  ].map((command) => new Program(command, { machine: laptop }));
  const files = [laptop.path(down), net.outside.path(up)];
  await until("both have begun", () => files.every((file) => existsSync(file) && statSync(file).size > 100_000));
  await cable.cut();
  await Bun.sleep(CUT_MS);
  await cable.mend();
  const sizes = (): number[] => files.map((file) => statSync(file).size);
  const whole = sizes();
  const goOn = (): boolean => sizes().every((size, at) => size > whole[at]! + 100_000);
  const over = Promise.all(programs.map((program) => program.exit(DAMAGED_MS)));
  let isOver = false;
  void over.finally(() => (isOver = true)).catch(() => {});
  // A TCP whose repetitions are hit again and again waits long, so the damage ends.
  await until("both go on", () => isOver || goOn(), DAMAGED_MS);
  await cable.damage({});
  const statuses = await over;
  if (statuses.some((status) => status !== 0)) return programs.map(({ text }) => text).join("");
  return compared({ ...place, file: large }, down) || compared({ ...place, file: small }, up, true);
}

/** What a guest's shell says. Throws when the command fails. */
async function guestSaid(guest: Lab, command: string): Promise<string> {
  const { status, stdout, stderr } = await guest.exec(command, 2 * PATIENCE_MS);
  if (status !== 0) throw new Error(`${command}: status ${status}:\n${stdout}${stderr}`);
  return stdout + stderr;
}

async function guestHas(guest: Lab, path: string, file: Served): Promise<string> {
  return expected(await guestSaid(guest, `sha256sum ${path}; rm ${path}`), new RegExp(`^${sum(file.octets)} `));
}

type GuestCheck = (guest: Lab, file: Served) => Promise<string>;

/** The checks with busybox's programs behind Debian's pppd. */
export const GUEST_CHECKS: Readonly<Record<string, GuestCheck>> = {
  "wget fetches a page by its name": async (guest, file) => {
    await guestSaid(guest, `wget -q -O /tmp/page http://${NAME}/${file.name}`);
    return guestHas(guest, "/tmp/page", file);
  },
  "ftpget and ftpput": async (guest, file) => {
    await guestSaid(
      guest,
      `ftpget ${OUTSIDE} /tmp/ftp ${file.name} && ftpput ${OUTSIDE} ${INCOMING}/guest.bin /tmp/ftp`,
    );
    return guestHas(guest, "/tmp/ftp", file);
  },
  "nslookup, ping and traceroute": async (guest) =>
    expected(
      await guestSaid(guest, `nslookup -timeout=60 -retry=1 ${NAME}`),
      new RegExp(`${OUTSIDE}$`, "m"),
      new RegExp(`${OUTSIDE6}$`, "m"),
    ) ||
    expected(await guestSaid(guest, `ping -c2 -W60 ${OUTSIDE}`), /2 packets received/) ||
    expected(
      await guestSaid(guest, `traceroute -n -q1 -w60 ${OUTSIDE}`),
      new RegExp(` 2 +${ROUTER} `),
      new RegExp(` 3 +${OUTSIDE} `),
    ),
};
