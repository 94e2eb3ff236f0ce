// nullmodem get, put and sync: files over a line that comes and goes.

import { defineCommand } from "citty";
import { consola } from "consola";
import { realpathSync, statSync } from "node:fs";
import { readAllStatus } from "../../applets/read-status.ts";
import { encoded, textOf } from "../../bytes/text.ts";
import { print } from "../../os/log/print.ts";
import { networkNamespace } from "../../os/net/namespace.ts";
import { Exit } from "../../run/exit.ts";
import { PATIENCE } from "../../transfer/client.ts";
import { lastName, systemPath } from "../../transfer/remote-path.ts";
import { getOne } from "./get-one.ts";
import { STDERR } from "./progress-line.ts";
import { type LocalSource, putOne } from "./put-one.ts";
import { syncFolders } from "./sync-folders.ts";
import { placeOf, runTask, type Task, type TransferHost } from "./transfer-run.ts";
import { getWords, putWords, syncWords, type TransferWords } from "./transfer-words.ts";
import { usageText } from "../usage-text.ts";

const GIVE_UP = {
  "give-up": { type: "string", description: "SECONDS without an octet after which it ends; by default it waits" },
} as const;

const GET = defineCommand({
  meta: { name: "nullmodem get", description: "Fetch files and folders from the other machine" },
  args: {
    from: {
      type: "positional",
      description: "one or more: http://HOST/path, or /path at the other end of the link",
      required: true,
    },
    to: { type: "positional", description: "the folder that they are put into (.)", required: false },
    ...GIVE_UP,
  },
});

const PUT = defineCommand({
  meta: { name: "nullmodem put", description: "Send files and folders to the other machine" },
  args: {
    from: { type: "positional", description: "one or more files and folders of this machine", required: true },
    to: { type: "positional", description: "http://HOST/folder/, or peer:/folder/ (peer:/)", required: false },
    ...GIVE_UP,
  },
});

const SYNC = defineCommand({
  meta: { name: "nullmodem sync", description: "Make a folder like another one; send only what differs" },
  args: {
    from: { type: "positional", description: "the folder that stays as it is: here, or an address", required: true },
    to: { type: "positional", description: "the folder that becomes like it: an address, or here", required: true },
    delete: { type: "boolean", description: "remove what only the second folder has" },
    "dry-run": { type: "boolean", description: "say what would be done" },
    ...GIVE_UP,
  },
});

const AFTER = `Addresses are http://HOST/path, or peer:/path for the other end of the only link
of this machine. A folder's address ends with a slash. The other end serves a
folder with: nullmodem files DIR
When the line is down, it waits and goes on by itself. When it was ended, the same
command goes on where it was. Every file is compared by SHA-256 when it is whole.

Exit codes: 1 when something was not carried, 2 for wrong words, 5 after SIGINT or
SIGTERM.
`;

const THIS_HOST: TransferHost = {
  screen: STDERR,
  patience: PATIENCE,
  peers: () => readAllStatus().filter(({ namespace }) => namespace === networkNamespace()),
};

export async function get(argv: readonly string[], host = THIS_HOST): Promise<number> {
  return await main(
    argv,
    getWords,
    () => usageOfMany(GET),
    host,
    async ({ from, to }, run) => {
      let failed = 0;
      for (const word of from) failed += await getOne(await placeOf(word, run), encoded(to), run);
      return failed;
    },
  );
}

export async function put(argv: readonly string[], host = THIS_HOST): Promise<number> {
  return await main(
    argv,
    putWords,
    () => usageOfMany(PUT),
    host,
    async ({ from, to }, run) => {
      const remote = await placeOf(to, run);
      const client = run.clientOf(remote);
      let failed = 0;
      for (const word of from) failed += await putOne(client, sourceOf(encoded(word)), remote.path, run);
      return failed;
    },
  );
}

export async function sync(argv: readonly string[], host = THIS_HOST): Promise<number> {
  return await main(
    argv,
    syncWords,
    () => usageText(SYNC, AFTER),
    host,
    async (words, run) => await syncFolders(words, run),
  );
}

get.definition = GET;
put.definition = PUT;
sync.definition = SYNC;

/** citty knows no positional that may be repeated. */
async function usageOfMany(command: typeof GET | typeof PUT): Promise<string> {
  return (await usageText(command, AFTER)).replace(" <FROM>", " <FROM>…");
}

async function main(
  argv: readonly string[],
  read: (argv: readonly string[]) => TransferWords | string,
  renderedUsage: () => Promise<string>,
  host: TransferHost,
  task: Task,
): Promise<number> {
  consola.level = 3;
  const usage = await renderedUsage();
  if (argv.includes("--help") || argv.includes("-h")) {
    print(usage);
    return 0;
  }
  const words = read(argv);
  if (typeof words === "string") {
    host.screen.say("error", words);
    host.screen.write(usage);
    return Exit.OPTION;
  }
  return await runTask(words, host, task);
}

function sourceOf(path: string): LocalSource {
  const whole = textOf(realpathSync(systemPath(path), { encoding: "buffer" }));
  const given = lastName(path);
  const name = given === "" || given === "." || given === ".." ? lastName(whole) : given;
  return { path, name, isFolder: statSync(systemPath(path)).isDirectory() };
}
