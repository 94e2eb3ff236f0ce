// Runs every case of option-cases.ts through the real pppd 2.4.9 in the lab's guest (one boot) and writes what it
// printed to fixtures/options/pppd-2.4.9.json. `bun scripts/record-options.ts`; needs the lab.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Lab } from "../test/kit/lab.ts";
import { optionCases, type OptionCase } from "./option-cases.ts";

/** A case with what the real pppd answered. Fixed texts are shortened: see {@link shorten}. */
export interface RecordedCase extends OptionCase {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const COMMAND_LINE = "\t\t# (from command line)\n";
const root = resolve(import.meta.dir, "..");
export const FIXTURE = join(root, "fixtures/options/pppd-2.4.9.json");
const GUESTS = 4;
const TIME_LIMIT_S = 1500;

/** Latin-1 in, so that every byte of a file or an argument arrives. */
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Where a file of a case goes in the guest. */
const target = (path: string): string => (path.startsWith("/") ? path : `/etc/ppp/${path}`);

function script(cases: readonly OptionCase[]): string {
  const lines = [
    "hostname peer; cat >>/etc/hosts <<E\n192.168.0.1 ppp_laplink_host\n192.168.1.1 serial_laplink_client\n10.0.0.9 arthur\nE",
    "sed -i 's/^dip:.*/dip:x:30:zaphod/' /etc/group",
    "chmod 4755 /usr/sbin/pppd; chmod 666 /dev/ttyS0 /dev/ttyS1 /dev/ttyS2; chmod 700 /root; mkdir -p /r; cd /tmp",
    "printf 'zaphod\\ngargle\\n' >/home/zaphod/ua; chown -R zaphod /home/zaphod",
    "begin() { rm -rf /etc/ppp /tmp/f /tmp/g /tmp/l /tmp/log /tmp/ua /tmp/zaphodlog /root/.ppprc /root/f /home/zaphod/.ppprc; mkdir -p /etc/ppp; }",
  ];
  cases.forEach((one, at) => {
    lines.push("begin");
    if (!one.bare) lines.push(": >/etc/ppp/options");
    if (one.files || one.user) lines.push(`[ -d /c/${at} ] && cp -r /c/${at}/. /`);
    lines.push("chmod 600 /etc/ppp/*-secrets 2>/dev/null; chown zaphod /home/zaphod/.ppprc 2>/dev/null");
    const command = ["pppd", ...one.args].map(quoted).join(" ");
    const run = one.user
      ? `su -s /bin/sh zaphod -c ${quoted(`cd /tmp; exec timeout 10 ${command}`)}`
      : `timeout 10 ${command}`;
    if (one.route) lines.push("ip route add default dev lo");
    lines.push(`${run} </dev/null >/r/${at}.out 2>/r/${at}.err; echo $? >/r/${at}.code`);
    if (one.route) lines.push("ip route del default dev lo");
  });
  lines.push("cd /r && tar czf /result.tgz .");
  return lines.join("\n") + "\n";
}

/** Everything goes in and comes out as one archive. */
async function inGuest(cases: readonly OptionCase[], folder: string): Promise<void> {
  const tree = join(folder, "c");
  cases.forEach((one, at) => {
    for (const [path, text] of Object.entries(one.files ?? {})) {
      const full = join(tree, String(at), target(path));
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, bytes(text));
    }
  });
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(folder, "run.sh"), bytes(script(cases)));
  await run(["tar", "czf", join(folder, "cases.tgz"), "-C", folder, "c", "run.sh"]);
  const lab = await Lab.run({ users: ["zaphod:x"], timeout: TIME_LIMIT_S });
  try {
    await lab.put(join(folder, "cases.tgz"), "/cases.tgz");
    const { status, stderr } = await lab.exec("tar xzf /cases.tgz -C / && sh /run.sh", TIME_LIMIT_S * 1000);
    if (status !== 0) throw new Error(`in the guest: status ${status}: ${stderr}`);
    await lab.get("/result.tgz", join(folder, "result.tgz"));
  } finally {
    await lab.stop();
  }
  mkdirSync(join(folder, "r"));
  await run(["tar", "xzf", join(folder, "result.tgz"), "-C", join(folder, "r")]);
}

async function run(command: string[]): Promise<void> {
  const code = await Bun.spawn(command, { stdout: "inherit", stderr: "inherit" }).exited;
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}`);
}

/** Usage text and the source that nearly every line of a dump has, in two characters. */
function shorten(text: string, usage: string): string {
  return text.replaceAll(usage, "<USAGE>").replaceAll(COMMAND_LINE, "\x01");
}

export function lengthen(text: string, usage: string): string {
  return text.replaceAll("<USAGE>", usage).replaceAll("\x01", COMMAND_LINE);
}

if (import.meta.main) {
  const cases = optionCases();
  const folder = mkdtempSync(join(tmpdir(), "options-"));
  try {
    // A guest is mostly waiting; several wait at the same time.
    const share = Math.ceil(cases.length / GUESTS);
    const parts = Array.from({ length: GUESTS }, (_, part) => cases.slice(part * share, (part + 1) * share));
    await Promise.all(parts.map((part, number) => inGuest(part, join(folder, String(number)))));
    const read = (at: number, what: string): string =>
      readFileSync(join(folder, String(Math.floor(at / share)), "r", `${at % share}.${what}`), "latin1");
    const usage = read(
      cases.findIndex((one) => one.name === "--help"),
      "err",
    );
    const recorded: RecordedCase[] = cases.map((one, at) => ({
      ...one,
      stdout: shorten(read(at, "out"), usage),
      stderr: shorten(read(at, "err"), usage),
      code: Number(read(at, "code")),
    }));
    const lines = recorded.map((one) => JSON.stringify(one)).join(",\n");
    writeFileSync(FIXTURE, `{"usage":${JSON.stringify(usage)},"cases":[\n${lines}\n]}\n`);
    console.log(`${cases.length} cases recorded`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
