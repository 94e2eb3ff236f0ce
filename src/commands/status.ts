// nullmodem status: shows our links on this machine and their traffic, once or on a screen that is kept up to date.

import { consola } from "consola";
import { inertJson } from "../bytes/text.ts";
import { print } from "../os/log/print.ts";
import { StatusReader } from "../applets/read-status.ts";
import { hasAbandoned } from "../os/process/share.ts";
import { RUN_DIRECTORY, type Status } from "../run/live/published-status.ts";
import { type Rates, statusText } from "./status-text.ts";
import { STATUS_COMMAND, statusUsage, type StatusWish, statusWish } from "./status-words.ts";

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

const reader = new StatusReader();
const THIS_HOST: StatusHost = {
  links: () => reader.links(),
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
  const wish = statusWish(argv);
  if (typeof wish === "string") {
    consola.error(wish);
    process.stderr.write(await statusUsage());
    return 2;
  }
  switch (wish.form) {
    case "help":
      host.print(await statusUsage());
      return 0;
    case "fields":
      host.print((await import("./status-fields.ts")).fieldsText());
      return 0;
    case "prometheus": {
      const { prometheusText } = await import("./prometheus.ts");
      host.print(prometheusText(chosen(host.links(), wish.names)));
      return 0;
    }
    case "textfile": {
      const { keepTextFile } = await import("./text-file.ts");
      return keepTextFile(wish.path, wish.intervalMs, () => chosen(host.links(), wish.names));
    }
    case "watch":
      return (await import("./watch/watch.ts")).watch(() => chosen(host.links(), wish.names));
    default:
      return printLinks(wish, host);
  }
}

async function printLinks({ form, names }: StatusWish, host: StatusHost): Promise<number> {
  const before = chosen(host.links(), names);
  const took = before.length > 0 ? await host.sleep(SAMPLE_MS) : 0;
  const links = before.length > 0 ? chosen(host.links(), names) : [];
  const rated = links.map((link) => ({ link, rates: ratesOf(link, before, took) }));
  if (form === "json")
    host.print(`${inertJson(JSON.stringify(rated.map(({ link, rates }) => ({ ...link, rates }))))}\n`);
  else if (rated.length > 0) host.print(rated.map(({ link, rates }) => statusText(link, rates)).join("\n"));
  else consola.info(names.length === 0 ? "No link is running" : `No link of ours is called ${names.join(" or ")}`);
  if (form === "text" && host.hasLeftChanges()) host.print("A killed pppd has left changes: sudo nullmodem cleanup\n");
  return links.length === 0 ? 1 : 0;
}
status.definition = STATUS_COMMAND;

/** Those with one of these names: an interface, a linkname or a device. All when there are no names. */
export function chosen(links: readonly Status[], names: readonly string[]): Status[] {
  if (names.length === 0) return [...links];
  return links.filter(({ interface: name, linkname, lines }) =>
    [name, linkname, ...lines.map(({ device }) => device)].some((one) => one !== undefined && names.includes(one)),
  );
}

/** Undefined for a link that started meanwhile. */
export function ratesOf(link: Status, before: readonly Status[], milliseconds: number): Rates | undefined {
  const past = before.find(({ interface: name, pid }) => name === link.interface && pid === link.pid);
  if (past === undefined || milliseconds <= 0) return undefined;
  const rate = (way: "received" | "sent"): number => {
    const bytes = link.counters[way].bytes - past.counters[way].bytes;
    // The interface was made again, so its counters restarted.
    return Math.round((Math.max(0, bytes) * 1000) / milliseconds);
  };
  return { received: rate("received"), sent: rate("sent") };
}
