// Runs the system's tools for the packet filter. What fails becomes a line of the log.

import type { Processes, ToolResult } from "../host/processes.ts";
import type { LogLevel } from "../log.ts";
import { reasonOf } from "../machine.ts";

type Argv = readonly [program: string, ...args: string[]];

export class SystemTools {
  readonly #processes: Pick<Processes, "runTool">;
  readonly #log: (level: LogLevel, text: string) => void;

  constructor(processes: Pick<Processes, "runTool">, log: (level: LogLevel, text: string) => void) {
    this.#processes = processes;
    this.#log = log;
  }

  /** Never rejects. */
  async run(argv: Argv, input = ""): Promise<ToolResult> {
    try {
      return await this.#processes.runTool(argv, input);
    } catch (error) {
      return { exitCode: 127, output: "", complaint: reasonOf(error) };
    }
  }

  async succeeds(argv: Argv, input = ""): Promise<boolean> {
    const { exitCode, complaint } = await this.run(argv, input);
    if (exitCode !== 0) this.failed(argv[0], complaint);
    return exitCode === 0;
  }

  /** Something was tried that the link can do without. */
  tried({ exitCode, complaint }: ToolResult): void {
    if (exitCode !== 0)
      this.#log("info", `share: the rules go without what this kernel lacks: ${firstLine(complaint)}`);
  }

  failed(path: string, complaint: string): void {
    const reason = firstLine(complaint);
    this.#log("warn", `share: ${path.split("/").at(-1)} failed${reason === "" ? "" : `: ${reason}`}`);
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]!.trim();
}
