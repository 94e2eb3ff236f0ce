// winbind.so: Samba says who a peer is. Its ntlm_auth (--helper-protocol=ntlm-server-1) is started for every proof, is told
// of it in lines and answers in lines. A password goes to it as it is, a proof of MS-CHAP with what was hashed.

import type { NtJudge, NtVerdict } from "../../auth/chap.ts";
import type { NtProof } from "../../auth/digest.ts";
import { bytesOf, fromHex, toHex } from "../../bytes/text.ts";
import { libc, reasonOf } from "../../os/ffi/libc.ts";
import type { Log } from "../log.ts";

/** A helper that has not come to an end by then is ended, and has said no. */
const PATIENCE_MS = 30_000;
const SIGTERM = 15;
const LONGEST_ANSWER = 65_536;
/** A user session key is a hash of the password's hash. */
const KEY_DIGITS = 32;

interface Answer {
  readonly accepted: boolean;
  readonly key: Uint8Array | undefined;
  /** Why not: for the log, and for the peer's user. */
  readonly error: string;
}

export class Winbind implements NtJudge {
  readonly #command: string;
  readonly #log: Log;
  /** The helpers at work. */
  readonly #running = new Set<Bun.Subprocess>();
  #asked: NtProof | undefined;
  #verdict: NtVerdict | undefined;

  constructor(command: string, log: Log) {
    this.#command = command;
    this.#log = log;
  }

  /** Judges a name and a password. */
  async judgePassword(user: string, password: string): Promise<{ accepted: boolean; message: string }> {
    const { accepted, error } = await this.#run([base64("Full-Username", user), base64("Password", password)]);
    return { accepted, message: error };
  }

  ask(proof: NtProof): void {
    this.#asked = proof;
    this.#verdict = undefined;
    void this.#run(linesOf(proof)).then((answer) => {
      if (this.#asked !== proof) return;
      this.#asked = undefined;
      this.#verdict = this.#verdictOf(answer);
    });
  }

  #verdictOf({ accepted, key, error }: Answer): NtVerdict {
    if (accepted && key !== undefined) return { accepted, passwordHashHash: key };
    if (accepted) this.#log.write("notice", "Did not get user session key, despite being authenticated!");
    if (error !== "") this.#log.write("notice", error);
    return { accepted: false, message: error };
  }

  take(): NtVerdict | undefined {
    const verdict = this.#verdict;
    this.#verdict = undefined;
    return verdict;
  }

  /** A helper is at work. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** take() has something to say. */
  get isSettled(): boolean {
    return this.#verdict !== undefined;
  }

  /** Nobody wants to know any more. */
  forget(): void {
    this.#asked = this.#verdict = undefined;
    for (const child of this.#running) end(child);
    this.#running.clear();
  }

  /** Never settles when it is forgotten meanwhile. */
  async #run(lines: readonly string[]): Promise<Answer> {
    let child: Bun.Subprocess<Blob, "pipe", "inherit">;
    try {
      child = Bun.spawn(["/bin/sh", "-c", this.#command], {
        argv0: "sh",
        stdio: [new Blob([...lines, "."].map((line) => `${line}\n`)), "pipe", "inherit"],
        // A process group of its own, so that a signal reaches the helper and not its shell alone.
        detached: true,
      });
    } catch (error) {
      this.#log.write("error", `Can't execute ${this.#command}: ${reasonOf(error)}`);
      return { accepted: false, key: undefined, error: "" };
    }
    this.#running.add(child);
    const timer = setTimeout(() => end(child), PATIENCE_MS);
    const said = await answerOf(child.stdout);
    clearTimeout(timer);
    end(child);
    if (!this.#running.delete(child)) return new Promise<never>(() => {});
    return this.#read(said);
  }

  /** Up to the first line that says nothing, "." among them. */
  #read(text: string): Answer {
    let accepted = false;
    let key: Uint8Array | undefined;
    let error = "";
    for (const line of text.split("\n").slice(0, -1)) {
      const at = line.indexOf(": ");
      if (at < 0) break;
      const value = line.slice(at + 2);
      switch (line.slice(0, at).toLowerCase()) {
        case "authenticated":
          accepted = value.toLowerCase() === "yes";
          if (!accepted) this.#log.write("notice", "Winbind has declined authentication for user!");
          break;
        case "user-session-key":
          if (value.length === KEY_DIGITS && /^[0-9a-f]+$/i.test(value)) key = fromHex(value);
          else this.#log.write("notice", "NT session key for user was not 16 bytes!");
          break;
        case "error":
        case "authentication-error":
          accepted = false;
          error = value;
          break;
        default:
          this.#log.write("notice", `unrecognised input from ntlm_auth helper - ${line}`);
      }
    }
    return { accepted, key, error };
  }
}

function end({ pid, exitCode, signalCode }: Bun.Subprocess): void {
  if (exitCode === null && signalCode === null) libc.kill(-pid, SIGTERM);
}

/** What it says until a line with a dot alone; it may wait for another question after that. */
async function answerOf(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let said = "";
  for await (const chunk of output.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (/^\.\n/m.test(said) || said.length > LONGEST_ANSWER) break;
  }
  return said;
}

/** A name in front of which stands a domain is asked about there. */
function linesOf({ name, challenge, ntResponse, lmResponse }: NtProof): string[] {
  const at = name.lastIndexOf("\\");
  return [
    base64("Username", name.slice(at + 1)),
    ...(at < 0 ? [] : [base64("NT-Domain", name.slice(0, at))]),
    "Request-User-Session-Key: yes",
    `LANMAN-Challenge: ${hex(challenge)}`,
    ...(lmResponse === undefined ? [] : [`LANMAN-response: ${hex(lmResponse)}`]),
    ...(ntResponse === undefined ? [] : [`NT-response: ${hex(ntResponse)}`]),
  ];
}

function base64(field: string, value: string): string {
  return `${field}:: ${bytesOf(value).toBase64()}`;
}

function hex(octets: Uint8Array): string {
  return toHex(octets).toUpperCase();
}
