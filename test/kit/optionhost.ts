// An OptionHost in memory: like the guest in which the option cases were recorded, or as a test sets it.

import { posix } from "node:path";
import { withoutByteOrderMark } from "../../src/bytes/text.ts";
import type { As, Failure, FileText, OptionHost } from "../../src/options/host.ts";
import { parseIpv4 } from "../../src/options/numbers.ts";

const REASONS = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  ENAMETOOLONG: "File name too long",
} as const;

const fail = (errno: keyof typeof REASONS): Failure => ({ errno, reason: REASONS[errno] });

/** Character devices by path, with a number each. */
const DEVICES = new Map(["null", "tty", "ttyS0", "ttyS1", "ttyS2"].map((name, at) => [`/dev/${name}`, at + 1]));
const FOLDERS = new Set(["/", "/dev", "/etc", "/etc/ppp", "/root", "/tmp", "/home", "/home/zaphod"]);
const HOSTS: Readonly<Record<string, string>> = {
  localhost: "127.0.0.1",
  ppp_laplink_host: "192.168.0.1",
  serial_laplink_client: "192.168.1.1",
  arthur: "10.0.0.9",
};

export interface FakeHost extends OptionHost {
  /** The lines for the log and for stderr. */
  readonly logged: string[];
  readonly complaints: string[];
}

export interface FakeOptions {
  /** Full path to text, one char a byte. */
  readonly files?: Readonly<Record<string, string>>;
  readonly user?: boolean;
  readonly hostname?: string;
  readonly changes?: Partial<OptionHost>;
}

export function fakeHost({ files = {}, user = false, hostname = "peer", changes = {} }: FakeOptions = {}): FakeHost {
  const logged: string[] = [];
  const complaints: string[] = [];
  const closed = (path: string, as: As): boolean => as === "user" && user && path.startsWith("/root/");

  function readFile(path: string, as: As): FileText | Failure {
    if (path === "") return fail("ENOENT");
    const full = posix.resolve("/tmp", path);
    if (closed(full, as)) return fail("EACCES");
    if (FOLDERS.has(full)) return fail("EISDIR");
    const text = files[full];
    return text === undefined
      ? fail("ENOENT")
      : { text: withoutByteOrderMark(text), uid: 0, mode: full.endsWith("-secrets") ? 0o600 : 0o644 };
  }

  return {
    etc: "/etc/ppp",
    uid: user ? 1005 : 0,
    privileged: !user,
    lendsRights: user,
    home: user ? "/home/zaphod" : "/root",
    hostname,
    stdin: { tty: undefined, device: 1, readWrite: false },
    readFile,
    openLogfile(path, as) {
      if (closed(path, as)) return fail("EACCES");
      return FOLDERS.has(posix.dirname(path)) ? 9 : fail("ENOENT");
    },
    isFolder: (path) => path === "/srv",
    statDevice(path) {
      const names = path.split("/");
      if (names.some((name) => name.length > 255)) return fail("ENAMETOOLONG");
      const full = posix.normalize(path);
      const device = DEVICES.get(full);
      if (device !== undefined) return { device };
      if (DEVICES.has(posix.dirname(full))) return fail("ENOTDIR");
      return FOLDERS.has(full) || full === "/etc/passwd" ? { device: undefined } : fail("ENOENT");
    },
    deviceOfFd: () => undefined,
    resolveHost: (name) => (name === "255.255.255.255" ? 0xffffffff : parseIpv4(HOSTS[name] ?? name)),
    resolveNetwork: () => undefined,
    inGroup: (name) => (name === "dip" ? user : name === "tty" || name === "root" ? false : undefined),
    // The filter expressions of the lab, and its error for the invalid one.
    compileFilter: (expression) =>
      expression.includes("(")
        ? { errno: "EINVAL", reason: "can't parse filter expression: syntax error" }
        : [{ code: 6, jt: 0, jf: 0, k: 65535 }],
    hasDefaultRoute: () => false,
    findTool: (name) => `/usr/sbin/${name}`,
    hardwareAddress: () => undefined,
    serialPorts: () => ["/dev/ttyS0", "/dev/ttyS1"],
    inform: (text) => void logged.push(text),
    warn: (text) => void logged.push(text),
    complain: (text) => void complaints.push(text),
    ...changes,
    logged,
    complaints,
  };
}
