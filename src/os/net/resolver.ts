// Who looks after /etc/resolv.conf here: systemd-resolved (resolvectl), resolvconf (Debian's or openresolv), or nobody we
// know how to talk to.

import { existsSync } from "node:fs";
import { libc } from "../ffi/libc.ts";
import { namesIn } from "../process/sysfs.ts";
import { nameServerLines } from "./resolv-conf.ts";

/** A program to be run with these arguments, and what it is told. */
export interface Request {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly input: string;
}

export interface Resolver {
  readonly name: "systemd-resolved" | "resolvconf";
  /** What prints whether it has name servers of an interface; undefined: `has` knows without. */
  readonly asks: ((ifname: string) => Request) | undefined;
  /** `printed` is what came of `asks`. */
  has(ifname: string, printed: string): boolean;
  add(ifname: string, servers: readonly string[]): Request;
  /** Undefined: it forgets an interface that has gone by itself. */
  remove(ifname: string): Request | undefined;
}

/** Its files are there only where it runs, or has run. */
const RESOLVED = "/run/systemd/resolve";
/** Where the makes of resolvconf keep a file for each interface, or for each program that told them of it. */
const RECORDS = ["interface", "interfaces", "keys"].map((folder) => `/run/resolvconf/${folder}`);
const PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

/** Undefined: nobody. */
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
  // Whoever runs us with more rights than his own does not say what is run.
  const own = libc.getuid() === libc.geteuid() ? `${process.env["PATH"] ?? ""}:` : "";
  return Bun.which(program, { PATH: own + PATH }) ?? undefined;
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
