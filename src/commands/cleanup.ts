// nullmodem cleanup: undoes the changes to the machine that a killed pppd has left.

import { Log } from "../os/log/log-writer.ts";
import { libc } from "../os/ffi/libc.ts";
import { Syslog } from "../os/log/syslog-client.ts";
import { thisMachine } from "../applets/this-machine.ts";
import { LOCK_DIRECTORY } from "../os/serial/lock.ts";
import { Hooks } from "../run/scripts/hooks.ts";
import { undoLeftOver } from "../run/packets/left-over.ts";
import { NameServers } from "../run/packets/name-servers.ts";
import { removeLeftFiles } from "./left-files.ts";
import { RUN_DIRECTORY } from "../run/live/published-status.ts";

const USAGE = `nullmodem cleanup: take back what a pppd that was killed has left behind

Default routes, proxy ARP entries and kernel parameters (forwarding with all
that the kernel ties to it, accept_ra) are put back as they were, unless
somebody else has changed them since. Rules of the packet filter are removed,
interfaces leave firewalld's zones, and the system's resolver forgets name
servers. The next pppd that starts does the same. Pid files and lock files of
links that were up are removed. Links that run are left alone.
`;

const definition = { meta: { name: "nullmodem cleanup", description: "Take back what a killed pppd has left behind" } };

/** Runs cleanup with the words after its name. Returns the exit code. */
export async function cleanup(argv: readonly string[]): Promise<number> {
  const isAsked = argv.length === 1 && (argv[0] === "--help" || argv[0] === "-h");
  if (argv.length > 0) {
    (isAsked ? process.stdout : process.stderr).write(USAGE);
    return isAsked ? 0 : 2;
  }
  if (libc.geteuid() !== 0) {
    process.stderr.write("nullmodem cleanup must be run as root: sudo nullmodem cleanup\n");
    return 1;
  }
  const log = new Log(new Syslog("nullmodem", "local2", { pid: true }), 1, false);
  let count = 0;
  const say: Log["write"] = (level, text) => {
    count++;
    log.write(level, text);
  };
  const hooks = new Hooks(thisMachine, say);
  new NameServers(thisMachine, log, hooks, RUN_DIRECTORY).cleanUp();
  undoLeftOver(thisMachine, RUN_DIRECTORY, say, (done) => hooks.wait(done));
  await hooks.finish(0);
  for (const path of removeLeftFiles(RUN_DIRECTORY, LOCK_DIRECTORY)) say("notice", `Removed ${path} of a killed pppd`);
  if (count === 0) log.write("info", "Nothing was left to take back");
  return 0;
}
cleanup.definition = definition;
