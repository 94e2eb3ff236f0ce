// nullmodem capture LINK: the packets of a running link as pcapng, for a pipe to Wireshark or a file.

import { consola } from "consola";
import { PollSet } from "../../os/ffi/poll-set.ts";
import { print } from "../../os/log/print.ts";
import { runDirectories } from "../../applets/run-directory.ts";
import { NoRegularFile } from "../replaced-file.ts";
import { ControlRefusal, type Conversation, converse, findLink, PATIENCE_MS } from "../control-client.ts";
import { CAPTURE_COMMAND, captureUsage, type CaptureWords, captureWords } from "./capture-words.ts";
import { FileOfAnother, NoCapture, RotatedFile } from "./rotated-file.ts";

const STDOUT = 1;
/** A reader that has ended is noticed so soon, also while no packet comes. */
const LOOK_MS = 500;

interface CaptureHost {
  /** Where links are looked for. */
  directories(): readonly string[];
  readonly patienceMs: number;
}

const THIS_HOST: CaptureHost = { directories: runDirectories, patienceMs: PATIENCE_MS };

/** Where the octets go. */
interface Sink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Runs capture with the words after its name. Returns the exit code. */
export async function capture(argv: readonly string[], host = THIS_HOST): Promise<number> {
  consola.level = 3;
  const words = captureWords(argv);
  if (words === "") {
    print(await captureUsage());
    return 0;
  }
  if (typeof words === "string") {
    consola.error(words);
    process.stderr.write(await captureUsage());
    return 2;
  }
  if (words.file === undefined && process.stdout.isTTY) {
    const { link } = words;
    consola.error(`The capture is no text for a terminal: nullmodem capture ${link} | tshark -r -, or --file FILE`);
    return 2;
  }
  return await captureTo(words, host);
}

capture.definition = CAPTURE_COMMAND;

async function captureTo(words: CaptureWords, { directories, patienceMs }: CaptureHost): Promise<number> {
  const { link, packets, since, file, size, keep } = words;
  let sink: Sink | undefined;
  let conversation: Conversation | undefined;
  let looks: ReturnType<typeof setInterval> | undefined;
  try {
    const { path } = await findLink(link, directories(), patienceMs);
    const asked = since > 0 ? [packets, "since", String(since)] : [packets];
    conversation = await converse(path, "capture", link, asked, patienceMs);
    const { octets, close } = conversation;
    // Only now, because an older capture in the file is lost with it.
    sink = file === undefined ? { write: print, close: () => {} } : new RotatedFile(file, size, keep);
    const stop = (): void => close();
    process.once("SIGINT", stop).once("SIGTERM", stop);
    if (file === undefined) looks = setInterval(() => hasReader() || stop(), LOOK_MS);
    for await (const piece of octets) sink.write(piece);
    return 0;
  } catch (error) {
    // The reader of the pipe has ended.
    if (isErrno(error, "EPIPE")) return 0;
    if (error instanceof NoRegularFile) {
      consola.error(`${error.message}: it takes no --rotate`);
      return 2;
    }
    const isNothingNew =
      error instanceof ControlRefusal || error instanceof NoCapture || error instanceof FileOfAnother;
    if (!isNothingNew && !isErrno(error)) throw error;
    consola.error(error.message);
    return 1;
  } finally {
    clearInterval(looks);
    conversation?.close();
    sink?.close();
  }
}

/** False: the other end of the pipe is closed, which poll(2) reports without being asked. */
function hasReader(): boolean {
  return new PollSet([STDOUT], 0).wait(0) === 0;
}

/** An error of the host, with this code. */
function isErrno(error: unknown, code?: string): error is Error {
  return error instanceof Error && "code" in error && (code === undefined || error.code === code);
}
