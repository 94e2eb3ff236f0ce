// A machine for login tests: a network and a mount namespace with its own /etc, /dev/log, utmp, wtmp and lastlog. Users
// are made with the system's own tools, and the real machine is not changed. Root only.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SystemUser } from "../../../src/os/users/passwd.ts";

export type Step =
  | { shell: string }
  | { nameServer: string }
  | { close: true }
  | { lookup: string }
  | { login: string; password?: string; pam?: boolean; apart?: boolean };

/** The result of a step. Its fields depend on the step. */
export interface Outcome {
  text?: string;
  user?: SystemUser;
  expired?: boolean;
  ok?: boolean;
  message?: string;
  delayMs?: number;
  log?: string[];
  took?: number;
}

const MAKE_MACHINE = `
set -e
top=$(mktemp -d)
mount -t tmpfs login-test "$top"
cp -a /etc "$top/etc"
mkdir "$top/dev" "$top/run" "$top/log"
for node in null zero full random urandom tty; do cp -a /dev/$node "$top/dev/"; done
mkdir "$top/dev/shm" "$top/dev/pts"
mount --bind "$top/etc" /etc
mount --bind "$top/run" /run
mount --bind "$top/log" /var/log
mount --bind "$top/dev" /dev
: >/run/utmp; : >/var/log/wtmp; : >/var/log/lastlog
busybox ifconfig lo 127.0.0.1
busybox syslogd -n -O /run/syslog & syslogd=$!
trap 'kill $syslogd; cd /; umount -l /dev /var/log /run /etc "$top"; rmdir "$top"' EXIT
while [ ! -S /dev/log ]; do kill -0 $syslogd; done
rm -f /etc/nologin
sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf
"$@"
`;

/** Debian's file without its includes, as in the lab's guest. */
export const PLAIN_PAM = `cat >/etc/pam.d/ppp <<'END'
auth required pam_nologin.so
auth required pam_unix.so nullok
account required pam_unix.so
session required pam_unix.so
END`;

/** Why there can be no such machine here, or undefined. */
export function noLoginMachine(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  for (const tool of ["unshare", "busybox", "useradd", "chpasswd", "chage", "usermod", "openssl", "utmpdump"]) {
    if (Bun.which(tool) === null) return `no ${tool}`;
  }
  if (!existsSync("/etc/pam.d")) return "no PAM";
  if (Bun.spawnSync(["unshare", "-m", "-n", "true"]).exitCode !== 0) return "no mount and network namespaces";
  return undefined;
}

/** Performs the steps on a new machine, all in one process. `program` starts login-inside.ts. */
export function onLoginMachine(
  steps: readonly Step[],
  program: readonly string[] = [process.execPath, join(import.meta.dir, "login-inside.ts")],
): Outcome[] {
  const inside = Bun.spawnSync(["unshare", "-m", "-n", "sh", "-c", MAKE_MACHINE, "sh", ...program], {
    stdin: Buffer.from(JSON.stringify(steps)),
    stderr: "pipe",
  });
  const lines = inside.stdout.toString().split("\n").filter(Boolean);
  if (inside.exitCode !== 0 || lines.length !== steps.length) {
    throw new Error(`the login machine: status ${inside.exitCode}, ${lines.length} outcomes: ${inside.stderr}`);
  }
  return lines.map((line) => JSON.parse(line) as Outcome);
}
