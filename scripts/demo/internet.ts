// The third act of the demo: the client fetches a page from a web server that only the server can reach. The server shares its
// network, first as root, then as an ordinary user.

import { consola } from "consola";
import { colors } from "consola/utils";
import { chmodSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type Cable, openCable } from "../../test/kit/cable.ts";
import { closeMachines, type Machine } from "../../test/kit/machine.ts";
import { built, Program } from "../../test/kit/program.ts";
import { must } from "../../test/kit/wires.ts";
import { endBoth, openSide, runIn, show, type Side, startAs, UP_MS } from "./stage.ts";

const OUTSIDE = "198.51.100.80";
const PAGE = `http://www.outside.test/`;
const PAGE_SIZE = 20_000;
const UP = /^remote IP address/;
const ORDINARY_ID = "65534";
const isRoot = process.getuid?.() === 0;

/** Takes all rights away. A root of a user namespace becomes an ordinary user of a further one, because it knows no other. */
const ORDINARY = isRoot
  ? [
      "setpriv",
      `--reuid=${ORDINARY_ID}`,
      `--regid=${ORDINARY_ID}`,
      "--clear-groups",
      "--no-new-privs",
      "--bounding-set=-all",
    ]
  : ["unshare", "--user", `--map-user=${ORDINARY_ID}`, "--"];

/** Why the ordinary user's part cannot be shown, as text, or undefined. */
function ordinaryMissing(): string | undefined {
  if (Bun.spawnSync([...ORDINARY, "true"]).exitCode === 0) return undefined;
  return `${ORDINARY[0]} cannot make an ordinary user here (util-linux 2.36 or newer)`;
}

/** $1 is the address of outside, the rest is its command. It waits for its cable, and ends with our end of its standard input. */
const OUTSIDE_SHELL = `read -r _; ip link set lo up; ip addr add $1/24 dev server; ip link set server up; shift
"$@" & read -r _; kill $!`;

/**
 * The network beyond the server, with a web server and a name server. For an ordinary user it is a network of the server's machine,
 * because only those can be wired.
 */
async function openOutside(server: Machine): Promise<Program> {
  const script = join(import.meta.dir, "../../test/kit/outside.ts");
  const command = [process.execPath, script, OUTSIDE, String(PAGE_SIZE)];
  const shell = ["unshare", "--net", "sh", "-c", `echo here; ${OUTSIDE_SHELL}`, "sh", OUTSIDE];
  const outside = new Program([...shell, ...command], { machine: server });
  await outside.waitFor("here", { within: UP_MS });
  await must(
    server,
    `ip link add outside type veth peer name server netns ${outside.pid}
    ip addr add 198.51.100.2/24 dev outside; ip link set outside up`,
  );
  await outside.write("\n");
  await outside.waitFor("ready", { within: UP_MS });
  return outside;
}

/** The client asks the name servers that the link brings. */
function useOfferedServers(client: Machine): void {
  const file = client.path("/etc/resolv.conf");
  rmSync(file, { force: true });
  symlinkSync("ppp/resolv.conf", file);
}

async function fetchPage(as: readonly string[], cable: Cable): Promise<boolean> {
  const opened = await openSide("griis", "server", "ttyS1", cable.b);
  const client = await openSide("wylg", "client", "ttyS0", cable.a);
  const outside = await openOutside(opened.machine);
  await must(opened.machine, `rm -f /etc/resolv.conf; echo 'nameserver ${OUTSIDE}' >/etc/resolv.conf`);
  const server: Side = { ...opened, interfacesBefore: opened.machine.interfaces() };
  useOfferedServers(client.machine);
  const before = await forwarding(server.machine);
  const serving = startAs(server, as, built(), "serve", "ttyS1");
  await serving.waitFor("waiting for a caller", { within: UP_MS });
  const joining = startAs(client, [], built(), "join", "ttyS0");
  await joining.waitFor(UP, { within: UP_MS });
  await serving.waitFor(/: link up .*: \d+\.\d+\.\d+\.\d+ here/, { within: UP_MS });
  consola.start(`The client fetches ${PAGE}`);
  await runIn(client, "fetch.ts", [PAGE], (text) => show(client.tag, text));
  const clean = await endBoth([client, joining], [server, serving]);
  const after = await forwarding(server.machine);
  if (after !== before) consola.error(`${server.tag} left behind: ip_forward ${after}, which was ${before}`);
  await outside.write("\n");
  await outside.exit();
  await closeMachines();
  return clean && after === before;
}

async function forwarding(machine: Machine): Promise<string> {
  return (await machine.run("cat", "/proc/sys/net/ipv4/ip_forward")).stdout.trim();
}

/** `made` is told of the cables. True: all went well, and nothing is left. */
export async function internet(made: (cable: Cable) => void): Promise<boolean> {
  consola.info(
    `Third act: behind ${colors.cyan("server")} is a network with a web server, "outside", which does not know the\n` +
      `  client. The same two commands; serve shares this network by itself.`,
  );
  if (Bun.which("ip") === null) {
    consola.warn("Left out: ip is not installed (Debian package iproute2), and makes the network outside");
    return true;
  }
  let clean = true;
  for (const as of [[], ORDINARY]) {
    const missing = as.length === 0 ? undefined : ordinaryMissing();
    if (missing !== undefined) {
      consola.warn(`Left out: serve as an ordinary user. ${missing}`);
      continue;
    }
    consola.info(as.length === 0 ? "First as root:" : "Then the server's user is an ordinary one, without any rights:");
    const cable = await openCable({ baud: "ports" });
    made(cable);
    if (as.length > 0 && isRoot) chmodSync(cable.b, 0o666);
    clean = (await fetchPage(as, cable)) && clean;
  }
  return clean;
}
