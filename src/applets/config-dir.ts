// `--config-dir DIR`, before all other words: another folder than /etc/ppp, such as one on the stick that pppd is run from.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { OptionError } from "../options/error.ts";
import { libc } from "../os/ffi/libc.ts";
import { hasLentRights, isPrivileged } from "../os/users/rights.ts";

const FLAG = "--config-dir";
const ETC = "/etc/ppp";

/** The folder of configuration files, and the words after it. Throws OptionError. */
export function takeConfigDir(argv: readonly string[]): { etc: string; words: string[] } {
  const [first, folder, ...words] = argv;
  if (first !== FLAG) return { etc: ETC, words: [...argv] };
  if (folder === undefined) throw new OptionError(`too few parameters for option ${FLAG}`);
  // A user with borrowed rights may not choose the files that grant rights.
  const isBorrowed = libc.getuid() !== libc.geteuid() || (!isPrivileged() && hasLentRights());
  if (isBorrowed) throw new OptionError(`using the ${FLAG} option requires root privilege`);
  const etc = resolve(folder);
  if (statSync(etc, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new OptionError(`${FLAG} ${folder}: no such directory`);
  return { etc, words };
}
