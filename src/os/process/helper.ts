// A program that gets its whole input at the start and answers some time later: Samba's ntlm_auth.

import { libc, osErrorOf } from "../ffi/libc.ts";

const SIGTERM = 15;

export class Helper {
  readonly #child: Bun.Subprocess<Blob, "pipe", "inherit">;

  /** Runs `/bin/sh -c command` with this on its standard input. Throws OsError. */
  constructor(command: string, input: string) {
    try {
      this.#child = Bun.spawn(["/bin/sh", "-c", command], {
        argv0: "sh",
        stdio: [new Blob([input]), "pipe", "inherit"],
        // A process group of its own, so that a signal reaches the helper and not its shell alone.
        detached: true,
      });
    } catch (error) {
      throw osErrorOf(error);
    }
  }

  /** What it says, until a text that `isComplete` accepts or its end. Called once. */
  async answer(isComplete: (text: string) => boolean): Promise<string> {
    let said = "";
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      said += chunk;
      if (isComplete(said)) break;
    }
    return said;
  }

  /** Ends it, with what it has started. Does nothing when it has ended. */
  end(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) libc.kill(-pid, SIGTERM);
  }
}
