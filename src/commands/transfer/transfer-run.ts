// One run of get, put or sync: its connections, its progress, and how it ends.

import { inert } from "../../bytes/text.ts";
import { Exit } from "../../run/exit.ts";
import { Client, GaveUp, type Patience } from "../../transfer/client.ts";
import { Refusal } from "../../transfer/refusal.ts";
import { NO_LINK, type RemotePlace, remotePlace } from "./place-words.ts";
import { ProgressLine, reasonOf, type Screen } from "./progress-line.ts";
import type { TransferWords } from "./transfer-words.ts";

/** What the commands ask of the machine. Tests supply their own. */
export interface TransferHost {
  readonly screen: Screen;
  readonly patience: Patience;
  peers: Parameters<typeof remotePlace>[1];
}

/** Carries all that the words ask for. Returns how many files were not carried. */
export type Task = (words: TransferWords, run: Run) => Promise<number>;

/** One run of a command. */
export interface Run {
  readonly progress: ProgressLine;
  readonly host: TransferHost;
  /** Files that needed nothing. */
  same: number;
  /** `--give-up`. */
  readonly giveUpMs: number;
  /** A server was told a name and a password. */
  hasAccount: boolean;
  clientOf(remote: RemotePlace): Client;
}

/** The words name no place that can be reached. */
export class NoPlace extends Error {}

const KEPT = "What has come is kept; the same command goes on from there";

export async function runTask(words: TransferWords, host: TransferHost, task: Task): Promise<number> {
  const progress = new ProgressLine(host.screen);
  const clients: Client[] = [];
  const run: Run = {
    progress,
    host,
    same: 0,
    giveUpMs: Math.min(host.patience.giveUpMs, words.giveUpSeconds * 1000),
    hasAccount: false,
    clientOf: ({ place, authorization }) => {
      const patience = { ...host.patience, giveUpMs: run.giveUpMs };
      const headers: Record<string, string> = authorization === undefined ? {} : { Authorization: authorization };
      run.hasAccount ||= authorization !== undefined;
      const client = new Client(place, headers, patience, progress);
      clients.push(client);
      return client;
    },
  };
  const interrupt = (): void => {
    progress.close();
    host.screen.write("Ended. The same command goes on from here\n");
    process.exit(Exit.USER_REQUEST);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const failed = await task(words, run);
    progress.close();
    if (progress.unchecked > 0)
      host.screen.say("warn", `the server has no hashes: ${progress.unchecked} of the files could not be checked`);
    if (!words.isDry) host.screen.say("info", progress.summary(run.same));
    return failed === 0 ? 0 : 1;
  } catch (error) {
    progress.close();
    if (error instanceof NoPlace) {
      host.screen.say("error", error.message);
      return Exit.OPTION;
    }
    const reason = error instanceof GaveUp ? `gave up: ${error.message}` : `${pathOf(error)}${reasonOf(error)}`;
    const isBroken = error instanceof GaveUp && progress.meter.present > 0;
    const text = isWrongPassword(error, run) ? "wrong name or password" : reason;
    host.screen.say("error", isBroken ? `${text}. ${KEPT}` : text);
    return 1;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    for (const client of clients) client.close();
  }
}

/** The file of this machine that an error of the system is about. */
function pathOf(error: unknown): string {
  const path = error instanceof Error && "path" in error ? error.path : undefined;
  return typeof path === "string" || Buffer.isBuffer(path) ? `${inert(path.toString())}: ` : "";
}

function isWrongPassword(error: unknown, { hasAccount }: Run): boolean {
  return hasAccount && error instanceof Refusal && error.status === 401;
}

/** Waits for the link that "peer:" means. Throws NoPlace. */
export async function placeOf(word: string, { host, giveUpMs }: Run): Promise<RemotePlace> {
  const { screen, patience } = host;
  const began = screen.now();
  let place = remotePlace(word, host.peers);
  for (let isFirst = true; place === NO_LINK && screen.now() - began < giveUpMs; isFirst = false) {
    if (isFirst) screen.say("info", "No link is up here yet; waiting for one");
    await Bun.sleep(patience.retryMs);
    place = remotePlace(word, host.peers);
  }
  if (typeof place === "string") throw new NoPlace(place);
  return place;
}
