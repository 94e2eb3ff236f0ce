// Runs option cases through the real pppd in one guest of the lab, many at a time, each with its own /etc/ppp, /tmp and
// homes.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { OptionCase } from "../../scripts/option-cases.ts";
import { Lab } from "./lab.ts";
import type { Version } from "./lab/image.ts";

/** The output, one char a byte, and the exit code. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const TIME_LIMIT_S = 600;
/** The limit for one case: a guest on a busy machine is slow. */
const CASE_LIMIT_S = 200;
/** The shell's status for a case that was ended. */
const TERMINATED = 143;
/** A case that opens a tty sleeps for a second when it ends. */
const AT_ONCE = 6;
const HOSTS = "192.168.0.1 ppp_laplink_host\n192.168.1.1 serial_laplink_client\n10.0.0.9 arthur\n";
/** Folders a case has for itself. */
const OWN = ["/etc/ppp", "/tmp", "/root", "/home/zaphod"];

/** Latin-1, so that every byte of a file or an argument is kept. */
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The place in the guest of a file of a case. */
const target = (path: string): string => (path.startsWith("/") ? path : `/etc/ppp/${path}`);

/** The script for one case, in its own mount and network namespace. */
function scriptOf(one: OptionCase, at: number): string {
  const command = ["pppd", ...one.args].map(quoted).join(" ");
  const run = one.user
    ? `su -s /bin/sh zaphod -c ${quoted(`cd /tmp; exec timeout ${CASE_LIMIT_S} ${command}`)}`
    : `timeout ${CASE_LIMIT_S} ${command}`;
  return [
    "mount -a -T /fstab; chmod 700 /root; chmod 1777 /tmp; printf 'zaphod\\ngargle\\n' >/home/zaphod/ua",
    ...(one.bare ? [] : [": >/etc/ppp/options"]),
    `[ -d /c/${at} ] && cp -r /c/${at}/. /`,
    "chmod 600 /etc/ppp/*-secrets 2>/dev/null; chown -R zaphod /home/zaphod",
    ...(one.route ? ["ip link set lo up; ip route add default dev lo"] : []),
    `cd /tmp; ${run} </dev/null >/r/${at}.out 2>/r/${at}.err; echo $? >/r/${at}.code`,
    "",
  ].join("\n");
}

function scriptFor(count: number): string {
  return [
    `hostname peer; cat >>/etc/hosts <<E\n${HOSTS}E`,
    "sed -i 's/^dip:.*/dip:x:30:zaphod/' /etc/group",
    "chmod 4755 /usr/sbin/pppd; chmod 666 /dev/ttyS0 /dev/ttyS1 /dev/ttyS2; mkdir -p /r /c",
    ...OWN.map((folder) => `echo none ${folder} tmpfs >>/fstab`),
    `at=0; while [ $at -lt ${count} ]; do`,
    // Each script that ends writes a line into a pipe, so that the next one starts.
    "  read -r free <&4; (unshare -mn sh /s/$at; echo >&4) & at=$((at + 1))",
    "done 4<>/slots; wait",
    "cd /r && tar czf /result.tgz .",
    "",
  ].join("\n");
}

/** Runs the cases in one guest. The results are in the order of the cases. */
export async function askReal(cases: readonly OptionCase[], ppp: Version = "installed"): Promise<Printed[]> {
  const folder = mkdtempSync(join(tmpdir(), "nullmodem-options-"));
  const lab = await Lab.run({ ppp, users: ["zaphod:x"] });
  try {
    for (const name of ["c", "s"]) mkdirSync(join(folder, name));
    cases.forEach((one, at) => {
      for (const [path, text] of Object.entries(one.files ?? {})) {
        const full = join(folder, "c", String(at), target(path));
        mkdirSync(dirname(full), { recursive: true });
        writeFileSync(full, bytes(text));
      }
      writeFileSync(join(folder, "s", String(at)), bytes(scriptOf(one, at)));
    });
    const archive = join(folder, "cases.tgz");
    await run(["tar", "czf", archive, "-C", folder, "c", "s"]);
    await lab.put(archive, "/cases.tgz");
    const slots = `mkfifo /slots; exec 5<>/slots; yes '' | head -n ${AT_ONCE} >&5\n`;
    const all = `tar xzf /cases.tgz -C / --no-same-owner\n${slots}${scriptFor(cases.length)}`;
    const { status, stderr } = await lab.exec(all, TIME_LIMIT_S * 1000);
    if (status !== 0) throw new Error(`in the guest: status ${status}: ${stderr}`);
    const result = join(folder, "result.tgz");
    await lab.get("/result.tgz", result);
    const answers = join(folder, "r");
    mkdirSync(answers);
    await run(["tar", "xzf", result, "-C", answers]);
    const read = (at: number, what: string): string => readFileSync(join(answers, `${at}.${what}`), "latin1");
    return cases.map(({ name }, at) => {
      const code = Number(read(at, "code"));
      if (code === TERMINATED) throw new Error(`${name}: the real pppd did not end within ${CASE_LIMIT_S} s`);
      return { stdout: read(at, "out"), stderr: read(at, "err"), code };
    });
  } finally {
    await lab.stop();
    rmSync(folder, { recursive: true });
  }
}

async function run(command: string[]): Promise<void> {
  const code = await Bun.spawn(command, { stdout: "inherit", stderr: "inherit" }).exited;
  if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}`);
}
