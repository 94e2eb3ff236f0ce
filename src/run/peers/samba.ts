// winbind.so: Samba authenticates the peers. Each proof starts Samba's ntlm_auth (--helper-protocol=ntlm-server-1). It
// reads the proof as lines and answers in lines. A PAP password is sent as it is, an MS-CHAP proof with its challenge.

import type { NtJudge, NtVerdict } from "../../auth/chap-config.ts";
import type { NtProof } from "../../auth/digest.ts";
import { bytesOf, fromHex, toHex } from "../../bytes/text.ts";
import type { Helper } from "../host/processes.ts";
import type { Log } from "../log.ts";
import { type Machine, reasonOf } from "../machine.ts";

/** A helper that does not answer within this time is ended. That counts as a refusal. */
const PATIENCE_MS = 30_000;
const LONGEST_ANSWER = 65_536;
/** The user session key has this many hexadecimal digits. It is a hash of the password's hash. */
const KEY_DIGITS = 32;

interface Answer {
  readonly accepted: boolean;
  readonly key: Uint8Array | undefined;
  /** The reason of a refusal, for the log and for the peer's user. */
  readonly error: string;
}

type HelperMachine = Pick<Machine, "clock" | "processes">;

export class Winbind implements NtJudge {
  readonly #command: string;
  readonly #machine: HelperMachine;
  readonly #log: Log;
  /** The helpers that run. */
  readonly #running = new Set<Helper>();
  #asked: NtProof | undefined;
  #verdict: NtVerdict | undefined;

  constructor(command: string, machine: HelperMachine, log: Log) {
    this.#machine = machine;
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

  /** True while a helper runs. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** True when take() has a verdict. */
  get isSettled(): boolean {
    return this.#verdict !== undefined;
  }

  /** Ends the helpers: the verdict is no longer needed. */
  forget(): void {
    this.#asked = this.#verdict = undefined;
    for (const helper of this.#running) helper.end();
    this.#running.clear();
  }

  /** Starts a helper and returns its answer. The promise never settles after forget(). */
  async #run(lines: readonly string[]): Promise<Answer> {
    const { clock, processes } = this.#machine;
    let helper: Helper;
    try {
      helper = processes.runHelper(this.#command, [...lines, "."].map((line) => `${line}\n`).join(""));
    } catch (error) {
      this.#log.write("error", `Can't execute ${this.#command}: ${reasonOf(error)}`);
      return { accepted: false, key: undefined, error: "" };
    }
    this.#running.add(helper);
    const cancel = clock.after(PATIENCE_MS, () => helper.end());
    // The answer ends with a line that is a single dot. The helper may then wait for another question, so its end is
    // not awaited.
    const said = await helper.answer((text) => /^\.\n/m.test(text) || text.length > LONGEST_ANSWER);
    cancel();
    helper.end();
    if (!this.#running.delete(helper)) return new Promise<never>(() => {});
    return this.#read(said);
  }

  /** Reads the answer up to the first line that has no value, such as ".". */
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

/** The lines of a question. For the name "DOMAIN\\name" they name that domain. */
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
