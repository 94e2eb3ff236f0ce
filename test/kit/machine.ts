// Machines for tests: a network namespace with its own /etc, /run, /var/log, /var/lib, /dev and host name, so that two pppds run
// side by side with their own files and leave nothing on the real machine.
//
// A shell holds the namespaces (unshare(1)). It ends when our end of its standard input is closed, and kills everything
// that still runs in them. Another shell outside waits for it and removes the files. So nothing stays behind, even when
// a test is killed. For an ordinary user everything runs in a user namespace in which he is root.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { readlinkSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface MachineOptions {
  /**
   * A folder that becomes /etc/ppp (empty when left out). hosts, passwd, shadow and group in it are added to the
   * machine's own, and pam.d replaces /etc/pam.d, as with the lab's `--etc`.
   */
  readonly etc?: string;
  /**
   * Further files by absolute path: below /etc, /run (root's home is /run/root), /var/log or /dev. They are written
   * last.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** Terminals by their name in /dev: { ttyS1: "/dev/pts/5" }. */
  readonly ttys?: Readonly<Record<string, string>>;
}

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine {
  readonly name: string;
  /** The process that holds its namespaces. */
  readonly pid: number;
  /** A command line that runs `command` in the machine. The new process has the pid that spawn returned. */
  argv(command: readonly string[], cwd?: string): string[];
  /** Runs a command to its end. */
  run(...command: string[]): Promise<Result>;
  /** The place on the real machine of a file below /etc, /run, /var/log or /dev. */
  path(file: string): string;
  /** The names of its network interfaces except lo. */
  interfaces(): string[];
  /** The processes in it, without the holding shell. */
  processes(): { pid: number; command: string }[];
  /** Kills everything in it and removes its files. */
  close(): Promise<void>;
}

const isRoot = process.getuid?.() === 0;
const NAMESPACES = [...(isRoot ? [] : ["--user", "--map-root-user"]), "--net", "--mount", "--uts"];

/** Why no machine can be made here, as text, or undefined. */
export function machinesMissing(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are a thing of Linux";
  for (const tool of ["unshare", "nsenter", "mount", "hostname"]) {
    if (Bun.which(tool) === null) return `${tool} is not installed (Debian packages util-linux, mount and hostname)`;
  }
  if (spawnSync("unshare", [...NAMESPACES, "true"], { stdio: "ignore" }).status === 0) return undefined;
  return isRoot
    ? "this root may not make network and mount namespaces (in a container: --privileged, or --cap-add SYS_ADMIN " +
        "--cap-add NET_ADMIN --security-opt apparmor=unconfined --security-opt seccomp=unconfined)"
    : "not root, and user namespaces are switched off here (run it as root; or, as root, sysctl " +
        "kernel.unprivileged_userns_clone=1, on Ubuntu kernel.apparmor_restrict_unprivileged_userns=0)";
}

/** Why no network interface can be made here, as text, or undefined. */
export function tunMissing(): string | undefined {
  const device = "/dev/net/tun";
  if (!existsSync(device)) {
    return (
      `${device} is missing (as root: modprobe tun; if that does not make it: mkdir -p /dev/net && mknod ${device} c 10 200; ` +
      `in a container: --device ${device})`
    );
  }
  // Opening it shows whether the driver exists and whether we may use it. It makes no interface yet.
  const opened = spawnSync("sh", ["-c", `exec 3<>${device}`], { encoding: "utf8" });
  if (opened.status === 0) return undefined;
  const reason = opened.stderr.trim().split(": ").at(-1) ?? "it cannot be opened";
  return `${device}: ${reason} (${/denied/.test(reason) ? `run it as root; or, as root, chmod 666 ${device}` : "as root: modprobe tun"})`;
}

/** Runs in the new namespaces: $1 is the folder with the machine's files, $2 its name, then come name=tty pairs. */
const HOLDER = `set -e
# A new namespace has what the machine's own has.
{ echo 0 >/proc/sys/net/ipv4/ip_forward; } 2>/dev/null || :
work=$1; hostname "$2"; shift 2
dev=$work/dev; mkdir -p $dev/pts $dev/shm $dev/net
for node in null zero full random urandom tty net/tun; do
  [ -e /dev/$node ] || continue
  : >$dev/$node; mount --bind /dev/$node $dev/$node
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts $dev/pts
ln -s pts/ptmx $dev/ptmx
ln -s /proc/self/fd $dev/fd
for fd in 0/stdin 1/stdout 2/stderr; do ln -s /proc/self/fd/\${fd%/*} $dev/\${fd#*/}; done
for pair; do : >"$dev/\${pair%%=*}"; mount --bind "\${pair#*=}" "$dev/\${pair%%=*}"; done
mount --bind $work/etc /etc
mount --bind $work/run /run
mount --bind $work/log /var/log
mount --bind $work/lib /var/lib
[ -L /var/lock ] || { mkdir -p $work/run/lock; mount --bind $work/run/lock /var/lock; }
[ -L /var/run ] || mount --bind $work/run /var/run
mount --rbind $dev /dev
# A view of this network's devices; a container may refuse it.
mount -t sysfs sysfs /sys 2>/dev/null || :
ip link set lo up 2>/dev/null || :
echo "ready $$"
read -r _ || :
set +e
for process in /proc/[0-9]*; do
  [ $process = /proc/$$ ] || [ ! $process/ns/net -ef /proc/$$/ns/net ] || kill -9 \${process#/proc/} 2>/dev/null
done
`;

/** $1 is the folder to remove, the rest is the command to wait for. The test handles signals of the terminal. */
const REAPER = `trap '' INT TERM HUP; work=$1; shift; "$@"; status=$?; rm -rf "$work"; exit $status`;

/** Copies the readable part of /etc, and adds the machine's own files. */
function prepare(work: string, options: MachineOptions): void {
  for (const folder of ["etc", "run/lock", "log", "lib", "dev"]) mkdirSync(join(work, folder), { recursive: true });
  const etc = join(work, "etc");
  spawnSync("cp", ["-a", "/etc/.", etc], { stdio: "ignore" });
  rmSync(join(etc, "ppp"), { recursive: true, force: true });
  mkdirSync(join(etc, "ppp"));
  // The real root's ~/.ppprc is left out. The folder itself may contain this repository.
  mkdirSync(join(work, "run/root"));
  writeFileSync(
    join(etc, "passwd"),
    textOf(join(etc, "passwd")).replace(/^(root:.*):[^:]*(:[^:]*)$/m, "$1:/run/root$2"),
  );
  const hosts = textOf(join(etc, "hosts"));
  if (!/\slocalhost\b/.test(hosts)) writeFileSync(join(etc, "hosts"), `${hosts}127.0.0.1 localhost\n`);
  if (options.etc !== undefined) addEtc(etc, options.etc);
  for (const account of ["wtmp", "btmp", "lastlog"]) writeFileSync(join(work, "log", account), "");
  writeFileSync(join(work, "run/utmp"), "");
  for (const [file, text] of Object.entries(options.files ?? {})) {
    const path = place(work, file);
    mkdirSync(dirname(path), { recursive: true });
    // It may be a link to a file of the real machine.
    rmSync(path, { force: true });
    writeFileSync(path, text);
    chmodSync(path, text.startsWith("#!") ? 0o755 : /-secrets$|shadow$/.test(file) ? 0o600 : 0o644);
  }
}

function addEtc(etc: string, folder: string): void {
  const ppp = join(etc, "ppp");
  cpSync(folder, ppp, { recursive: true });
  for (const file of readdirSync(ppp)) if (file.endsWith("-secrets")) chmodSync(join(ppp, file), 0o600);
  for (const file of ["hosts", "passwd", "shadow", "group"]) {
    const more = join(ppp, file);
    if (!existsSync(more)) continue;
    writeFileSync(join(etc, file), textOf(join(etc, file)) + readFileSync(more, "utf8"));
    if (file === "shadow") chmodSync(join(etc, file), 0o600);
    rmSync(more);
  }
  if (existsSync(join(ppp, "pam.d"))) {
    rmSync(join(etc, "pam.d"), { recursive: true, force: true });
    renameSync(join(ppp, "pam.d"), join(etc, "pam.d"));
  }
}

function textOf(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    return text === "" || text.endsWith("\n") ? text : `${text}\n`;
  } catch {
    return ""; // /etc/shadow when we are not root
  }
}

function place(work: string, file: string): string {
  const match = /^\/(etc|run|var\/run|var\/lock|var\/log|var\/lib|dev)(\/.*)?$/.exec(file);
  if (match === null) throw new Error(`${file}: a machine has no such folder of its own`);
  const folder =
    { "var/run": "run", "var/lock": "run/lock", "var/log": "log", "var/lib": "lib" }[match[1]!] ?? match[1]!;
  return join(work, folder, match[2] ?? "");
}

const open = new Set<Machine>();

/** Makes a machine with this name, which is also its host name. */
export async function openMachine(name: string, options: MachineOptions = {}): Promise<Machine> {
  const work = mkdtempSync(join(tmpdir(), `nullmodem-${name}-`));
  let ttys: string[];
  try {
    prepare(work, options);
    ttys = Object.entries(options.ttys ?? {}).map(([tty, path]) => `${tty}=${realpathSync(path)}`);
  } catch (error) {
    rmSync(work, { recursive: true });
    throw error;
  }
  const holder = Bun.spawn(
    ["sh", "-c", REAPER, "sh", work, "unshare", ...NAMESPACES, "sh", "-c", HOLDER, "sh", work, name, ...ttys],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  const pid = await holderPid(holder);
  const network = statSync(`/proc/${pid}/ns/net`).ino;

  const machine: Machine = {
    name,
    pid,
    argv: (command, cwd) => [
      "nsenter",
      ...["--target", String(pid), "--net", "--mount", "--uts"],
      ...(isRoot ? [] : ["--user", "--preserve-credentials"]),
      ...(cwd === undefined ? [] : [`--wd=${cwd}`]),
      "--",
      ...command,
    ],
    run: async (...command) => {
      const child = Bun.spawn(machine.argv(command), { stdio: ["ignore", "pipe", "pipe"] });
      const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      return { status, stdout, stderr };
    },
    path: (file) => place(work, file),
    interfaces: () =>
      readFileSync(`/proc/${pid}/net/dev`, "utf8")
        .split("\n")
        .flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? [])
        .filter((device) => device !== "lo"),
    processes: () => processesIn(network).filter((process) => process.pid !== pid),
    close: async () => {
      open.delete(machine);
      holder.stdin.end();
      await holder.exited;
    },
  };
  open.add(machine);
  return machine;
}

/** Closes every machine that is still open. */
export async function closeMachines(): Promise<void> {
  await Promise.all([...open].map((machine) => machine.close()));
}

async function holderPid(holder: Bun.Subprocess<"pipe", "pipe", "pipe">): Promise<number> {
  let said = "";
  for await (const chunk of holder.stdout.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    const ready = /^ready (\d+)\n/.exec(said);
    if (ready !== null) return Number(ready[1]);
  }
  throw new Error(`cannot make a machine: ${(await holder.stderr.text()).trim()}`);
}

function processesIn(network: number): { pid: number; command: string }[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      if (readlinkSync(`/proc/${entry}/ns/net`) !== `net:[${network}]`) return [];
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      return command === "" ? [] : [{ pid: Number(entry), command }]; // a zombie has none
    } catch {
      return []; // gone meanwhile, or not ours
    }
  });
}
