// nullmodem setup: asks what the link is for, shows what it would write into pppd's files, writes it, and takes it back.

import { defineCommand } from "citty";
import { consola } from "consola";
import { basename } from "node:path";
import { checkWords } from "../service-check.ts";
import { changesFor } from "./changes.ts";
import { Disk } from "./disk.ts";
import { farSideText } from "./far-side.ts";
import { partName, serviceWanted, staleParts, startWords, wantedFiles } from "./plan.ts";
import { answersFrom, Missing } from "./questions.ts";
import type { Answers } from "./setup-answers.ts";
import { FLAGS, type Flags, flagsOf } from "./setup-flags.ts";
import { hostAfter, placeOf, type SetupHost, surroundings, THIS_HOST } from "./setup-host.ts";
import { type Change, Journal, Refusal } from "./setup-journal.ts";
import { shownChange } from "./shown-change.ts";
import { Cancelled } from "./terminal.ts";
import { usageText } from "../usage-text.ts";

const command = defineCommand({
  meta: { name: "nullmodem setup", description: "Write pppd's files for a link, after showing the changes" },
  args: FLAGS,
});

const AFTER = `On a terminal, setup asks for what the options leave open. It adds a marked part to
files that are there, and keeps copies in /etc/ppp/nullmodem-setup.
  nullmodem setup --role serve --port /dev/ttyS1 --auth none --yes
  nullmodem setup --role join --port /dev/ttyS0 --user anna \\
    --password-file - --yes
`;

const ETC = "/etc/ppp";

/** Runs setup with the words after its name. Returns the exit code. `disk` is for tests. */
export async function setup(
  argv: readonly string[],
  host: SetupHost = THIS_HOST,
  diskAt = (root: string) => new Disk(root),
): Promise<number> {
  consola.level = 3;
  const usage = await usageText(command, AFTER);
  if (argv.includes("--help") || argv.includes("-h")) {
    host.print(usage);
    return 0;
  }
  try {
    const flags = flagsOf(argv);
    const disk = diskAt(flags.root ?? "/");
    if (!host.isRoot && disk.root === "/") {
      host.complain("nullmodem setup must be run as root: sudo nullmodem setup\n");
      return 1;
    }
    return flags.undo === undefined ? await write(flags, disk, host) : takeBack(disk, host);
  } catch (error) {
    return explain(error, host, usage);
  }
}
setup.definition = command;

function explain(error: unknown, host: SetupHost, usage: string): number {
  if (error instanceof Refusal) {
    for (const reason of error.reasons) host.complain(`${reason}\n`);
    host.complain("Nothing was changed.\n");
    return 1;
  }
  if (error instanceof Cancelled) {
    host.complain("Nothing was changed.\n");
    return 1;
  }
  if (error instanceof Missing) {
    const lines = error.flags.map((flag) => `  ${flag}\n`).join("");
    host.complain(`Without a terminal, or with --yes, setup cannot ask. These are missing:\n${lines}`);
    return 2;
  }
  if (!(error instanceof RangeError)) throw error;
  host.complain(`nullmodem setup: ${error.message}\n`);
  if (error.message.startsWith("there is no option")) host.complain(usage);
  return 2;
}

async function write(flags: Flags, disk: Disk, host: SetupHost): Promise<number> {
  const journal = new Journal(disk, ETC);
  journal.checkComplete();
  const asker = flags.yes === undefined ? host.asker : undefined;
  const answers = await answersFrom(flags, surroundings(disk.root, asker));
  const wanted = wantedFiles(answers, ETC, placeOf(disk.root));
  const changes = changesFor(wanted, staleParts(answers, ETC), { disk, journal, name: partName(answers) });
  if (changes.length === 0) {
    host.print("All of this is set up already. Nothing was changed.\n");
    return 0;
  }
  checkByPppd(answers, changes, disk, host);
  host.print(`${changes.map(shownChange).join("\n")}\n`);
  if (flags["dry-run"] !== undefined) return 0;
  if (flags.yes === undefined && asker === undefined) {
    host.complain("Nothing was written: --yes writes it.\n");
    return 1;
  }
  if (asker !== undefined && !(await asker.confirm("Write this?"))) throw new Cancelled();
  journal.apply(`${answers.role} ${answers.port}`, changes);
  host.print(
    `Written. nullmodem setup --undo takes it back; copies of older files are in ${journal.folder}.\n\n` +
      `${startText(answers)}\n${farSideText(answers)}`,
  );
  return 0;
}

/** pppd must take the files as they will be, with those that the administrator wrote. Throws Refusal. */
function checkByPppd(answers: Answers, changes: readonly Change[], disk: Disk, host: SetupHost): void {
  const { refusal, warning } = checkWords(serviceWanted(answers), hostAfter(answers.port, changes, disk), true);
  if (refusal.length > 0) throw new Refusal(refusal);
  for (const line of warning) host.complain(`${line}\n`);
}

function startText(answers: Answers): string {
  const words = ["pppd", ...startWords(answers), "nodetach"].join(" ");
  const byHand = `To start it by hand, as root:\n  ${words}\n`;
  const unit = `nullmodem-${basename(answers.role === "serve" ? answers.port : answers.name).replace(/[^\w-]/g, "-")}`;
  switch (answers.service) {
    case "systemd":
      return `To start it now and with the machine:\n  systemctl daemon-reload && systemctl enable --now ${unit}\n`;
    case "openrc":
      return `To start it now and with the machine:\n  rc-update add ${unit} default && rc-service ${unit} start\n`;
    case "inittab":
      return "It starts with the machine. To start it now:\n  kill -HUP 1\n";
    case "cron":
      return `It starts with the machine. ${byHand}`;
    case "none":
      return byHand;
    default:
      return answers.service satisfies never;
  }
}

function takeBack(disk: Disk, host: SetupHost): number {
  const undone = new Journal(disk, ETC).undo();
  if (undone === undefined) {
    host.complain("There is no setup to take back.\n");
    return 1;
  }
  host.print(
    `Taken back: ${undone.title}\n${undone.lines.map((line) => `  ${line}\n`).join("")}${afterUndo(undone.lines)}`,
  );
  return 0;
}

/** An init remembers a service that it was told to start. */
function afterUndo(lines: readonly string[]): string {
  const unit = /\/etc\/(systemd\/system|init\.d)\/(nullmodem-[\w-]+)(\.service)? removed/.exec(lines.join("\n"));
  if (unit === null) return "";
  const [, folder, name] = unit;
  const commands = folder === "init.d" ? `rc-update del ${name} default` : `systemctl disable --now ${name}`;
  return `If it was enabled:\n  ${commands}\n`;
}
