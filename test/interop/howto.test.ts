// The Serial-Laplink HOWTO with its own files, in all pairings of our pppd and the real ones; and its chapters on
// Windows, with a peer that behaves like Windows.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines } from "../kit/machine.ts";
import {
  type End,
  filesIn,
  type Kind,
  type Laplink,
  laplinkMissing,
  LinkPool,
  type Run,
  type Side,
  SIDES,
} from "../kit/end.ts";
import { receive, send } from "../kit/transfer.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(200_000);

const COMMAND: Record<Side, string> = { server: "pppd /dev/ttyS1 -detach", client: "pppd /dev/ttyS0 -detach" };
const ADDRESS: Record<Side, string> = { server: "192.168.0.1", client: "192.168.1.1" };
const OTHER: Record<Side, Side> = { server: "client", client: "server" };
const UP = /^remote IP address/;

/** The lines of each side until the link is up, and when it ends the link or its peer does. */
const COMING_UP: Record<Side, string[]> = {
  server: [
    "Using interface ppp0",
    "Connect: ppp0 <--> /dev/ttyS1",
    "user zaphod logged in on tty ttyS1 intf ppp0",
    "PAP peer authentication succeeded for zaphod",
    "local  IP address 192.168.0.1",
    "remote IP address 192.168.1.1",
  ],
  client: [
    "Using interface ppp0",
    "Connect: ppp0 <--> /dev/ttyS0",
    "Remote message: Session started successfully",
    "PAP authentication succeeded",
    "local  IP address 192.168.1.1",
    "remote IP address 192.168.0.1",
  ],
};
const STATISTICS = ["Connect time N minutes.", "Sent N bytes, received N bytes."];
const ENDING = ["Terminating on signal 15", ...STATISTICS, "Connection terminated."];
const ENDED = ["LCP terminated by peer (User request)", ...STATISTICS, "Connection terminated.", "Modem hangup"];

/**
 * The lines that all pppds print. The real ones also log IPv6 and Deflate, and the statistics once for each network
 * protocol. Since 2.5.1 they log the peer's name. Ours logs that it receives nothing when the other machine starts
 * late.
 */
function common(lines: readonly string[]): string[] {
  const words = lines
    .filter((line) => !/ LL address |^Deflate |^Peer zaphod authenticated |^Heard nothing for 3 s; /.test(line))
    .map((line) => line.replace(/\b\d+(\.\d)? (minutes|bytes)/g, "N $2"));
  return words.filter((line, index) => !STATISTICS.includes(line) || words.indexOf(line) === index);
}

/** Starts both sides, the client when the server listens. */
async function startBoth(link: Laplink, listens = opened): Promise<Record<Side, Run>> {
  const server = await link.server.start(COMMAND.server);
  await listens(link.server, server);
  const client = await link.client.start(COMMAND.client);
  return { server, client };
}

async function opened(_: End, run: Run): Promise<void> {
  await run.waitFor(/^(Connect: |Starting negotiation on )/);
}

/** Makes a file, sends it over TCP and compares the checksums. */
async function copy(from: End, to: End, address: string, port: number, make: string): Promise<void> {
  const received = to.run(`cd $(mktemp -d); ${receive(port, "file")}; sha256sum <file`);
  const sent = await from.run(`cd $(mktemp -d); ${make} >file; sha256sum <file; ${send(address, port, "file")}`);
  expect(sent.stdout).toMatch(/^[0-9a-f]{64}/);
  expect((await received).stdout).toBe(sent.stdout);
}

const TEXT = "yes 'The quick brown fox jumps over the lazy dog.' | head -c 40000";
const NOISE = "head -c 40000 /dev/urandom";

function settingsOf(terminals: readonly string[]): string[] {
  return terminals.map((path) => Bun.spawnSync(["stty", "-F", path, "-g"]).stdout.toString().trim());
}

async function endBy(link: Laplink, runs: Record<Side, Run>, side: Side): Promise<void> {
  const other = OTHER[side];
  await link[side].run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
  expect([await runs[side].exit(), await runs[other].exit()]).toEqual([5, 16]);
  expect(common(runs[side].lines)).toEqual([...COMING_UP[side], ...ENDING]);
  expect(common(runs[other].lines)).toEqual([...COMING_UP[other], ...ENDED]);
  expect([await link.server.traces(), await link.client.traces()]).toEqual([[], []]);
}

const pools = new Map<string, LinkPool>();
async function on(server: Kind, client: Kind, act: (link: Laplink) => Promise<void>): Promise<void> {
  const pairing = `${server} ${client}`;
  const pool = pools.get(pairing) ?? new LinkPool(server, client, 1);
  pools.set(pairing, pool);
  await pool.use(act);
}
afterAll(async () => {
  await Promise.all([...pools.values()].map((pool) => pool.close()));
  await closeMachines();
});

/** The HOWTO's files, with more lines in the options of the port. */
async function install(link: Laplink, side: Side, more = ""): Promise<void> {
  const { etc, tty } = SIDES[side];
  const files = filesIn(etc);
  await link[side].install({ ...files, [`options.${tty}`]: `${files[`options.${tty}`]}${more}` });
}

const PAIRINGS: [Kind, Kind][] = [
  ["ours", "ours"],
  ["ours", "real"],
  ["real", "ours"],
  ["real", "real"],
  ["ours", "2.5.2"],
  ["2.5.2", "ours"],
];

for (const [server, client] of PAIRINGS) {
  const skip = laplinkMissing(server, client);
  const name = `the HOWTO's session: ${server} serves ${client === server ? "its like" : client}`;
  test.concurrent.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, () =>
    on(server, client, async (link) => {
      for (const side of ["server", "client"] as const) await install(link, side);
      const before = settingsOf(link.terminals);
      for (const side of ["client", "server"] as const) {
        const runs = await startBoth(link);
        await Promise.all([runs.server.waitFor(UP), runs.client.waitFor(UP)]);
        for (const from of ["client", "server"] as const) {
          const to = ADDRESS[OTHER[from]];
          // With -c alone, iputils' ping waits only 0.2 s for the last answers after the first one.
          const ping = await link[from].run(`ping -c 3 -i 0.2 -w 10 ${to}`);
          expect(ping.stdout).toMatch(/ [3-9] (packets )?received/);
          if (side === "server") continue;
          await copy(link[from], link[OTHER[from]], to, 5000, TEXT);
          await copy(link[from], link[OTHER[from]], to, 5001, NOISE);
        }
        await endBy(link, runs, side);
      }
      expect(settingsOf(link.terminals)).toEqual(before);
    }),
  );
}

// ── chapters 2.4 and 3.2: Windows ──────────────────────────────────────────────────────────────────────────────────

/** The line of chapter 3.2 as printed: `connect` and its unquoted command on one line. */
const WINSERVER = "connect chat -v -f /etc/ppp/scripts/winserver.chat\n";
/** The line of chapter 2.4. */
const WINCLIENT = "connect 'chat -v -f /etc/ppp/scripts/winclient.chat'\n";
/** Its chat waits, and logs that. */
const chatting = (server: End): Promise<void> => server.logged("expect (CLIENT)");
const QUOTED = WINSERVER.replace(/connect (.*)\n/, "connect '$1'\n");

/** The strings that Windows sends, from a shell script that records what it receives. */
const WINDOWS: Record<Side, string> = {
  client: `connect 'printf CLIENT; head -c 12 >/tmp/heard'\n`,
  server: `connect 'head -c 6 >/tmp/heard; printf CLIENTSERVER'\n`,
};

interface WindowsCase {
  readonly name: string;
  readonly server: Kind;
  readonly client: Kind;
  readonly serverLine: string;
  readonly clientLine: string;
  /** The side that plays Windows, and what it must have received. */
  readonly windows?: { side: Side; hears: string };
  /** Resolves when the server listens, if it has no chat. */
  readonly listens?: (server: End) => Promise<void>;
}

const CASES: WindowsCase[] = [
  {
    name: "we serve a Windows client",
    server: "ours",
    client: "real",
    serverLine: WINCLIENT,
    clientLine: WINDOWS.client,
    windows: { side: "client", hears: "CLIENTSERVER" },
  },
  {
    name: "we call a Windows server, the connect line unquoted as the HOWTO has it",
    server: "real",
    client: "ours",
    serverLine: WINDOWS.server,
    clientLine: WINSERVER,
    windows: { side: "server", hears: "CLIENT" },
    listens: async (server) => void (await server.run("until pidof head >/dev/null; do sleep 0.2; done")),
  },
  {
    name: "winclient.chat is ours, winserver.chat the real chat's",
    server: "ours",
    client: "real",
    serverLine: WINCLIENT,
    clientLine: QUOTED,
  },
  {
    name: "winclient.chat is the real chat's, winserver.chat ours, unquoted",
    server: "real",
    client: "ours",
    serverLine: WINCLIENT,
    clientLine: WINSERVER,
  },
  {
    name: "both are ours, winserver.chat unquoted",
    server: "ours",
    client: "ours",
    serverLine: WINCLIENT,
    clientLine: WINSERVER,
  },
];

describe("Windows", () => {
  for (const { name, server, client, serverLine, clientLine, windows, listens = chatting } of CASES) {
    const skip = laplinkMissing(server, client);
    test.concurrent.skipIf(skip !== undefined)(skip === undefined ? name : `${name} [skipped: ${skip}]`, () =>
      on(server, client, async (link) => {
        await install(link, "server", serverLine);
        await install(link, "client", clientLine);
        const runs = await startBoth(link, listens);
        await Promise.all([runs.server.waitFor(UP), runs.client.waitFor(UP)]);
        await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
        expect([await runs.client.exit(), await runs.server.exit()]).toEqual([5, 16]);
        for (const side of ["server", "client"] as const) {
          const said = common(runs[side].lines);
          expect(said.slice(0, 1)).toEqual(["Serial connection established."]);
          expect(said.slice(1, 1 + COMING_UP[side].length)).toEqual(COMING_UP[side]);
        }
        if (windows !== undefined) expect((await link[windows.side].run("cat /tmp/heard")).stdout).toBe(windows.hears);
        expect([await link.server.traces(), await link.client.traces()]).toEqual([[], []]);
      }),
    );
  }
});
