// nullmodem status [--json] [INTERFACE…]: shows our links on this machine and their traffic.

import { defineCommand, renderUsage } from "citty";
import { consola } from "consola";
import { inertJson } from "../bytes/text.ts";
import { print } from "../os/log/print.ts";
import { readAllStatus } from "../applets/read-status.ts";
import { hasAbandoned } from "../os/process/share.ts";
import { RUN_DIRECTORY, type Status } from "../run/live/published-status.ts";
import { type Rates, statusText } from "./status-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem status", description: "Show the links of this machine and what goes over them" },
  args: {
    interface: { type: "positional", description: "only this one, or these", required: false },
    json: { type: "boolean", description: "for programs: an array with an object a link" },
  },
});

/** The time over which rates are measured. */
const SAMPLE_MS = 1000;

/** The services of the machine that status uses. Tests supply their own. */
export interface StatusHost {
  links(): Status[];
  /** A session that was killed has left changes to the machine. */
  hasLeftChanges(): boolean;
  /** Resolves to the milliseconds that passed. */
  sleep(milliseconds: number): Promise<number>;
  print(text: string): void;
}

const THIS_HOST: StatusHost = {
  links: () => readAllStatus(),
  hasLeftChanges: () => hasAbandoned(RUN_DIRECTORY),
  sleep: async (milliseconds) => {
    const began = performance.now();
    await Bun.sleep(milliseconds);
    return performance.now() - began;
  },
  print,
};

/** Runs status with the words after its name. Returns the exit code: 1 when there is no such link. */
export async function status(argv: readonly string[], host: StatusHost = THIS_HOST): Promise<number> {
  consola.level = 3;
  const flags = argv.filter((word) => word.startsWith("-"));
  const names = argv.filter((word) => !word.startsWith("-"));
  if (flags.includes("--help") || flags.includes("-h")) {
    host.print(Bun.stripANSI(`${await renderUsage(command)}\n`));
    return 0;
  }
  const unknown = flags.find((flag) => flag !== "--json");
  if (unknown !== undefined) {
    consola.error(`there is no option ${JSON.stringify(unknown)}`);
    process.stderr.write(Bun.stripANSI(`${await renderUsage(command)}\n`));
    return 2;
  }
  const isAsked = (link: Status): boolean => names.length === 0 || names.includes(link.interface);
  const before = host.links().filter(isAsked);
  const took = before.length > 0 ? await host.sleep(SAMPLE_MS) : 0;
  const links = before.length > 0 ? host.links().filter(isAsked) : [];
  const rated = links.map((link) => ({ link, rates: ratesOf(link, before, took) }));
  if (flags.includes("--json"))
    host.print(`${inertJson(JSON.stringify(rated.map(({ link, rates }) => ({ ...link, rates }))))}\n`);
  else if (rated.length > 0) host.print(rated.map(({ link, rates }) => statusText(link, rates)).join("\n"));
  else consola.info(names.length === 0 ? "No link is running" : `No link of ours is called ${names.join(" or ")}`);
  if (!flags.includes("--json") && host.hasLeftChanges())
    host.print("A killed pppd has left changes: sudo nullmodem cleanup\n");
  return links.length === 0 ? 1 : 0;
}
status.definition = command;

/** Undefined for a link that started meanwhile. */
function ratesOf(link: Status, before: readonly Status[], milliseconds: number): Rates | undefined {
  const past = before.find(({ interface: name, pid }) => name === link.interface && pid === link.pid);
  if (past === undefined || milliseconds <= 0) return undefined;
  const rate = (way: "received" | "sent"): number => {
    const bytes = link.counters[way].bytes - past.counters[way].bytes;
    // The interface was made again, so its counters restarted.
    return Math.round((Math.max(0, bytes) * 1000) / milliseconds);
  };
  return { received: rate("received"), sent: rate("sent") };
}
