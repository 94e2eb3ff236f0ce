// nullmodem service KIND [DEVICE] [OPTIONS…]: prints the text that makes an init or cron start pppd.

import { defineCommand } from "citty";
import { consola } from "consola";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { nearestNames } from "../bytes/nearest.ts";
import { print } from "../os/log/print.ts";
import { checkWords, type Verdict } from "./service-check.ts";
import { type Kind, KINDS, type Place, serviceText, type Wanted } from "./service-texts.ts";
import { usageText } from "./usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem service", description: "Print what makes an init or cron start pppd" },
  args: {
    kind: { type: "positional", description: KINDS.join(", "), valueHint: KINDS.join("|"), required: true },
    device: {
      type: "positional",
      description: "the serial line (/dev/ttyS0; for systemd without one: a template), or serve and its ports",
      required: false,
    },
    words: { type: "positional", description: "pppd's own options", valueHint: "OPTION", required: false },
  },
});

const AFTER = `The first lines say which file it is for. sh install.sh --service of the USB
stick puts it there.
  nullmodem service inittab /dev/ttyS1 115200 local
  nullmodem service systemd /dev/serial/by-id/usb-… 115200 crtscts
  nullmodem service cron call provider
  nullmodem service systemd serve ttyS0 'ttyUSB*' --auth`;

const FIRST_LINE = "/dev/ttyS0";

function isKind(word: string | undefined): word is Kind {
  return KINDS.some((kind) => kind === word);
}

/** Runs service with the words after its name. Returns the exit code. `place` and `check` are for tests. */
export async function service(
  argv: readonly string[],
  place: Place = thisPlace(),
  check: (asked: Wanted) => Verdict = checkWords,
): Promise<number> {
  consola.level = 3;
  const [kind, ...words] = argv;
  if (kind === "--help" || kind === "-h") {
    print(await usageText(command, AFTER));
    return 0;
  }
  if (!isKind(kind)) {
    consola.error(
      kind === undefined ? `which one: ${KINDS.join(", ")}?` : `there is no service ${JSON.stringify(kind)}`,
    );
    const near = nearestNames(kind ?? "", KINDS);
    if (near.length > 0) process.stderr.write(`Did you mean ${near.join(" or ")}?\n`);
    process.stderr.write(await usageText(command, AFTER));
    return 2;
  }
  try {
    const asked = wanted(kind, words);
    const text = serviceText(kind, asked, place);
    const { refusal, warning } = check(asked);
    for (const line of [...refusal, ...warning]) process.stderr.write(`${line}\n`);
    if (refusal.length > 0) return 2;
    print(text);
    return 0;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    consola.error(error.message);
    return 2;
  }
}
service.definition = command;

/** A device is a path, or a name that pppd would look for in /dev. */
function wanted(kind: Kind, words: readonly string[]): Wanted {
  const [first = "", ...rest] = words;
  if (first === "serve") return { device: undefined, options: rest, serves: true };
  if (first.startsWith("/")) return { device: first, options: rest };
  if (/^(tty|rfcomm|serial\/)/.test(first)) return { device: `/dev/${first}`, options: rest };
  const device = kind === "systemd" || words.includes("call") ? undefined : FIRST_LINE;
  return { device, options: words };
}

/** `root` is the root folder of the system that the text is for. */
export function thisPlace(root = "/"): Place {
  const beside = join(dirname(process.execPath), "pppd");
  return {
    pppd: root === "/" && existsSync(beside) ? beside : "/usr/local/sbin/pppd",
    busyboxInit: targetOf(join(root, "/sbin/init")) === "busybox",
    cronFolder: existsSync(join(root, "/etc/cron.d")) || !existsSync(join(root, "/etc/crontabs")),
  };
}

function targetOf(link: string): string | undefined {
  try {
    return basename(realpathSync(link));
  } catch {
    return undefined;
  }
}
