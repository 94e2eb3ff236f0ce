// The files that belong into a share folder (/usr/local/share): manual pages, and completions for bash, zsh and fish.
// `bun scripts/share-files.ts` writes them into dist-share. The stick has them too.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { APPLETS } from "../src/applets/applets.ts";
import { COMMANDS } from "../src/commands/commands.ts";
import { completionText } from "../src/commands/completion/completion.ts";
import { manuals, PAGE_LINKS, writeFiles } from "./manuals.ts";

const NAMES = Object.keys(APPLETS);

/** bash and fish look for a file with the name of the program. */
const IN_BASH = `. "\${BASH_SOURCE[0]%/*}/nullmodem"\n`;
const IN_FISH = "source (status dirname)/nullmodem.fish\n";

/** All files by their paths in the share folder. Other names of manual pages are links: PAGE_LINKS. */
export async function shareFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const [path, text] of await manuals()) files.set(`man/${path}`, text);
  const text = async (shell: string): Promise<string> => (await completionText(shell, COMMANDS)) ?? "";
  const bash = "bash-completion/completions";
  const fish = "fish/vendor_completions.d";
  files.set(`${bash}/nullmodem`, await text("bash"));
  files.set("zsh/site-functions/_nullmodem", await text("zsh"));
  files.set(`${fish}/nullmodem.fish`, await text("fish"));
  for (const name of NAMES) {
    files.set(`${bash}/${name}`, IN_BASH);
    files.set(`${fish}/${name}.fish`, IN_FISH);
  }
  return files;
}

if (import.meta.main) {
  const folder = join(import.meta.dir, "../dist-share");
  rmSync(folder, { recursive: true, force: true });
  const links = Object.entries(PAGE_LINKS).map(([path, target]) => [`man/${path}`, target] as const);
  writeFiles(folder, await shareFiles(), links);
  console.log("dist-share: manual pages, and completions for bash, zsh and fish");
}
