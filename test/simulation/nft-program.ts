// nft(8) on a simulated computer: tables come and go as a whole. It does not know what rules mean.

import type { ToolResult } from "../../src/run/host/processes.ts";

const MISSING = "Error: Could not process rule: No such file or directory";

export class NftProgram {
  /** The text of each table by its family and name, "ip filter". */
  readonly tables = new Map<string, string>();
  /** What it complains about, whatever it is asked. */
  complaint = "";

  run(argv: readonly string[], input: string): ToolResult {
    if (this.complaint !== "") return { exitCode: 1, output: "", complaint: this.complaint };
    if (argv[1] === "list" && !this.tables.has(argv.slice(3).join(" ")))
      return { exitCode: 1, output: "", complaint: MISSING };
    if (argv[1] !== "-f") return { exitCode: 0, output: "", complaint: "" };
    const tables = new Map(this.tables);
    for (const [, word = "", name = "", rest = ""] of input.matchAll(
      /^(?:(add|delete) )?table (\S+ \S+)(.*?^\})?/gms,
    )) {
      if (word === "delete" && !tables.delete(name)) return { exitCode: 1, output: "", complaint: MISSING };
      if (word !== "delete") tables.set(name, `${tables.get(name) ?? ""}${rest}`);
    }
    this.tables.clear();
    for (const [name, text] of tables) this.tables.set(name, text);
    return { exitCode: 0, output: "", complaint: "" };
  }
}
