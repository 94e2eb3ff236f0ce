// What the option parser asks of the machine (options/host.ts).

import { fstatSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { withoutByteOrderMark } from "../bytes/text.ts";
import { type BpfInstruction, bpfProblem } from "../filter/bpf.ts";
import type { As, Failure, OptionHost } from "../options/host.ts";
import { asUser, groupNumber, homeOf, hostAddress, networkAddress, ttyOf } from "../os/net/hosts.ts";
import { closeFd, libc, O, openFd, reasonOf } from "../os/ffi/libc.ts";
import { findInterface } from "../os/net/netif.ts";
import { compileFilter } from "../os/net/libpcap.ts";
import { TOOL_PATH } from "../os/process/tool-path.ts";
import { serialPorts } from "../os/serial/ports.ts";
import { hasLentRights, isPrivileged } from "../os/users/rights.ts";
import { defaultRoutes } from "../os/net/route.ts";
import { openToRead, readAll } from "../os/ffi/small-file.ts";

/** Where the messages of the parser go. */
export interface OptionVoice {
  /** Information and warnings go to the log. */
  inform(text: string): void;
  warn(text: string): void;
  /** An error that does not end the program is printed like an option error. */
  complain(text: string): void;
}

/** `etc` is the folder of configuration files. */
export function systemOptionHost(voice: OptionVoice, etc = "/etc/ppp"): OptionHost {
  const uid = libc.getuid();
  const act = <T>(as: As, what: () => T): T => (as === "user" ? asUser(uid, what) : what());
  return {
    etc,
    uid,
    privileged: isPrivileged(),
    lendsRights: hasLentRights(),
    home: homeOf(uid),
    hostname: hostname(),
    stdin: { tty: ttyOf(0), device: characterDevice(0), readWrite: isReadWrite(0) },
    readFile: (path, as) =>
      attempt(() =>
        readText(
          path,
          act(as, () => openToRead(path)),
        ),
      ),
    openLogfile: (path, as) =>
      attempt(() => act(as, () => openFd(path, O.WRONLY | O.CREAT | O.APPEND | O.NOCTTY, 0o644))),
    isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    statDevice: (path) =>
      attempt(() => {
        const stat = statSync(path);
        return { device: stat.isCharacterDevice() ? stat.rdev : undefined };
      }),
    deviceOfFd: characterDevice,
    resolveHost: hostAddress,
    resolveNetwork: networkAddress,
    inGroup(name) {
      const gid = groupNumber(name);
      return gid === undefined ? undefined : (process.getgroups?.() ?? []).includes(gid);
    },
    compileFilter: compiled,
    hasDefaultRoute: () => defaultRoutes().length > 0,
    findTool: (name) => Bun.which(name, { PATH: TOOL_PATH }) ?? undefined,
    hardwareAddress: (name) => findInterface(name)?.mac,
    serialPorts: () => serialPorts().map(({ path, description }) => `${path}  ${description}`),
    inform: (text) => voice.inform(text),
    warn: (text) => voice.warn(text),
    complain: (text) => voice.complain(text),
  };
}

/** The text, one char a byte, with the owner and mode that the rules on safe files need. Closes the descriptor. */
function readText(path: string, fd: number): { text: string; uid: number; mode: number } {
  try {
    const { uid, mode } = fstatSync(fd);
    return { text: withoutByteOrderMark(readAll(fd, path).toString("latin1")), uid, mode: mode & 0o7777 };
  } finally {
    closeFd(fd);
  }
}

function attempt<T>(act: () => T): T | Failure {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return { errno: String(error.code), reason: reasonOf(error) };
  }
}

function compiled(expression: string, netmask: number): BpfInstruction[] | Failure {
  const program = compileFilter(expression, netmask);
  if (program === undefined)
    return { errno: "ENOENT", reason: "libpcap, which is not installed (Debian package libpcap0.8)" };
  if (typeof program === "string") return { errno: "EINVAL", reason: program };
  const problem = bpfProblem(program);
  return problem === undefined ? program : { errno: "EINVAL", reason: problem };
}

function characterDevice(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() ? stat.rdev : undefined;
  } catch {
    return undefined;
  }
}

function isReadWrite(fd: number): boolean {
  const F_GETFL = 3;
  const flags = libc.fcntl(fd, F_GETFL, 0);
  return flags >= 0 && (flags & 3) === O.RDWR;
}
