// Runs a program of this repository as an ordinary user. The user may not enter a clone in /root, so the program is
// started by another path.

import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
/** The path of the repository for that user. */
export const PUBLIC_ROOT = "/mnt";

/**
 * The words before a command whose program is an absolute path. It then runs as nobody, with these capabilities. Needs
 * root. `before` is a shell command that root runs first, in the same mount namespace.
 */
export function asStranger(capabilities: readonly string[] = [], before = "true"): string[] {
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...capabilities].join(" ");
  const script = `root=$1; shift; ${before} && mount --bind "$root" ${PUBLIC_ROOT} || exit
case $1 in "$root"/*) program=${PUBLIC_ROOT}\${1#"$root"} ;; *) program=$1 ;; esac
shift; exec ${nobody} "$program" "$@"`;
  return ["unshare", "-m", "sh", "-c", script, "sh", ROOT];
}
