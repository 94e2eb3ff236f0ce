// Finds the program that manages /etc/resolv.conf: systemd-resolved (resolvectl), resolvconf (Debian's or openresolv),
// or none that we know.

import { existsSync } from "node:fs";
import { libc } from "../ffi/libc.ts";
import { namesIn } from "../process/sysfs.ts";
import { TOOL_PATH } from "../process/tool-path.ts";
import { nameServerLines } from "./resolv-conf.ts";

/** A program to run, its arguments and its standard input. */
export interface Request {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly input: string;
}

export interface Resolver {
  readonly name: "systemd-resolved" | "resolvconf";
  /** The command that prints an interface's name servers. Undefined when `has` needs no output. */
  readonly asks: ((ifname: string) => Request) | undefined;
  /** True when the interface has name servers. `printed` is the output of `asks`. */
  has(ifname: string, printed: string): boolean;
  add(ifname: string, servers: readonly string[]): Request;
  /**
   * The command that removes an interface's name servers. Undefined when the program forgets a removed interface by
   * itself.
   */
  remove(ifname: string): Request | undefined;
}

/** This directory exists only where systemd-resolved runs or has run. */
const RESOLVED = "/run/systemd/resolve";
/** Where the kinds of resolvconf keep a file for each interface or each program that reported name servers. */
const RECORDS = ["interface", "interfaces", "keys"].map((folder) => `/run/resolvconf/${folder}`);

/** Undefined when we know none. */
export function findResolver(): Resolver | undefined {
  const resolvectl = existsSync(RESOLVED) ? find("resolvectl") : undefined;
  if (resolvectl !== undefined) return resolved(resolvectl);
  return findResolvconf();
}

export function findResolvconf(): Resolver | undefined {
  const program = find("resolvconf");
  return program === undefined ? undefined : resolvconf(program);
}

function find(program: string): string | undefined {
  // Under set-user-id, the caller's PATH must not choose the program.
  const own = libc.getuid() === libc.geteuid() ? `${process.env["PATH"] ?? ""}:` : "";
  return Bun.which(program, { PATH: own + TOOL_PATH }) ?? undefined;
}

function resolved(resolvectl: string): Resolver {
  return {
    name: "systemd-resolved",
    asks: (ifname) => ({ argv: [resolvectl, "dns", ifname], input: "" }),
    // "Link 7 (ppp0): 10.0.0.53"
    has: (_, printed) => /\): *\S/.test(printed),
    add: (ifname, servers) => ({ argv: [resolvectl, "dns", ifname, ...servers], input: "" }),
    remove: () => undefined,
  };
}

function resolvconf(program: string): Resolver {
  return {
    name: "resolvconf",
    asks: undefined,
    has: (ifname) => RECORDS.some((folder) => namesIn(folder).some((name) => name.split(".")[0] === ifname)),
    add: (ifname, servers) => ({
      argv: [program, "-a", ifname],
      input: nameServerLines(servers),
    }),
    remove: (ifname) => ({ argv: [program, "-d", ifname], input: "" }),
  };
}
