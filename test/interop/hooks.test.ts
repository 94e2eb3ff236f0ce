// The arguments and environment of the scripts in /etc/ppp and of the commands on the line: the real pppds and ours, on
// either side of the same session, must leave the same records.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines } from "../kit/machine.ts";
import {
  type End,
  type Laplink,
  laplinkMissing,
  LinkPool,
  type Real,
  REALS,
  type Run as Command,
  SIDES,
  type Side,
} from "../kit/end.ts";

/** The time limit includes waiting for a link. */
setDefaultTimeout(300_000);
const pools = {
  real: { real: new LinkPool("real", "ours", 1), ours: new LinkPool("ours", "real", 1) },
  "2.5.2": { real: new LinkPool("2.5.2", "ours", 1), ours: new LinkPool("ours", "2.5.2", 1) },
} as const;
afterAll(async () => {
  await Promise.all(Object.values(pools).flatMap(({ real, ours }) => [real.close(), ours.close()]));
  await closeMachines();
});

const RECORDS = "/var/run/probe";
/** ip-up ends when this file exists. */
const GO = `${RECORDS}/go`;

/**
 * Records its input in a numbered file. The last line "ended" is added just before it ends, and takes a number too. The
 * environment is the one at the start, because a shell adds variables.
 */
const PROBE = `#!/bin/sh
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
umask=$(umask); umask 022
name=\${PROBE_NAME:-$(basename "$0")}
number() { n=10; until mkdir ${RECORDS}/$n 2>/dev/null; do n=$((n + 1)); done; echo $n; }
pid=$$
fds=$(for fd in 0 1 2; do echo "fd $fd $(readlink /proc/$pid/fd/$fd)"; done)
here=${RECORDS}/$(number)
{
  echo "name $name"
  for word; do echo "argument $word"; done
  tr '\\0' '\\n' </proc/$pid/environ | sort | sed 's/^/env /'
  echo "$fds"
  echo "cwd $(readlink /proc/$pid/cwd)"
  echo "umask $umask"
  grep -E '^(Uid|Gid|SigBlk):' /proc/$pid/status | tr '\\t' ' '
  read -r _ _ _ _ group session _ </proc/$pid/stat
  [ $group = $pid ] && echo "leads its group"
  [ $session = $pid ] && echo "leads its session"
  case $name in ip-*)
    ip link show dev "$1" | grep -q '[<,]UP' && echo "interface is up"
    ip addr show dev "$1" | grep -oE 'inet .*' | sed 's/ scope.*//; s/^/interface has /'
    ip route show | sed 's/ *$//; s/^/route /'
    [ -e /etc/ppp/resolv.conf ] && sed 's/^/resolv.conf /' /etc/ppp/resolv.conf
  esac
  case $name in ipv6-*) ip addr show dev "$1" | grep -oE 'inet6 .*' | sed 's/ scope.*//; s/^/interface has /'; esac
  case $name in ip*-up) ls /var/run | grep '^ppp' | sed 's/^/file /'; esac
} >$here/writing
mv $here/writing $here/record
sleep 0
number >$here/ended
`;

const HOOKS = ["auth-up", "auth-down", "ip-pre-up", "ip-up", "ip-down", "ipv6-up", "ipv6-down"];

function probes(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      name === "ip-up" ? PROBE.replace("sleep 0", `until [ -e ${GO} ]; do sleep 0.1; done`) : PROBE,
    ]),
  );
}

/** One run of a script. */
interface Run {
  readonly name: string;
  /** The numbers show the order of events. */
  readonly began: number;
  readonly ended: number;
  readonly lines: readonly string[];
}

async function runsOn(end: End): Promise<Run[]> {
  const { stdout } = await end.run(
    `cd ${RECORDS}; for n in *; do [ -e $n/record ] && echo "run $n $(cat $n/ended)" && cat $n/record; done; :`,
  );
  return stdout
    .split(/^run /m)
    .slice(1)
    .map((text) => {
      const [numbers = "", ...lines] = text.trimEnd().split("\n");
      const [began = 0, ended = 0] = numbers.split(" ").map(Number);
      return { name: lines[0]!.split(" ")[1]!, began, ended, lines };
    });
}

/** Variables that change from run to run, come from other programs, or are set by one pppd only. */
function normal(line: string, real: Real): string[] {
  if (/^env (PATH|PWD|OLDPWD|SHLVL|_|PROBE_\w+)=/.test(line)) return [];
  // The file for multilink always exists.
  if (line === "file pppd2.tdb") return [];
  // 2.4.9 gives the number to no script.
  if (real === "real" && line.startsWith("env REMOTENUMBER=")) return [];
  return [
    line
      .replace(/^env (PPPD_PID)=\d+/, "env $1=N")
      .replace(/^env (BYTES_\w+|CONNECT_TIME)=\d+/, "env $1=N")
      .replace(/fe80::[0-9a-f:]+/g, "fe80::N")
      .replace(/^fd 2 (pipe:|socket:|\/tmp\/|\/lab\/said).*/, "fd 2 what pppd was given")
      // 2.4.9 adds the route to the peer by itself.
      .replace(/^(interface has inet6 fe80::N)( peer .*|\/128)$/, "$1")
      // The guest's ip is busybox's.
      .replace(/^route .*/, (route) => route.replace(" proto kernel", "").replace(/ +/g, " ")),
  ];
}

/** By script. 2.4.9 gives auth-up and auth-down no ipparam, which would be the last argument. */
function givenTo(runs: readonly Run[], real: Real): Record<string, string[]> {
  return Object.fromEntries(
    runs.map(({ name, lines }) => {
      const all = lines.flatMap((line) => normal(line, real));
      const isLate = (line: string, at: number): boolean =>
        real === "real" && name.startsWith("auth-") && at === 6 && line.startsWith("arg");
      return [name, all.filter((line, at) => !isLate(line, at))];
    }),
  );
}

interface Play {
  readonly files: Readonly<Record<Side, Readonly<Record<string, string>>>>;
  readonly commands: Readonly<Record<Side, string>>;
  /** Runs when both sides have been started, and ends the link. */
  readonly then: (link: Laplink, runs: Record<Side, Command>) => Promise<void>;
  /** Runs when both sides have ended. */
  readonly judge: (link: Laplink, runs: Record<Side, Command>) => Promise<void>;
}

const sides = Object.keys(SIDES) as Side[];

async function play(link: Laplink, { files, commands, then, judge }: Play): Promise<Record<Side, Run[]>> {
  try {
    for (const side of sides) {
      await link[side].install(files[side]);
      await link[side].run(`rm -rf ${RECORDS}; mkdir ${RECORDS}`);
    }
    const server = await link.server.start(commands.server);
    await server.waitFor("Connect: ");
    const client = await link.client.start(commands.client);
    await then(link, { server, client });
    await Promise.all([server.exit(), client.exit()]);
    await judge(link, { server, client });
    return { server: await runsOn(link.server), client: await runsOn(link.client) };
  } finally {
    for (const side of sides) await link[side].reset();
  }
}

/** Runs the same session with the real pppd and with ours on each side. */
async function both(scene: Play, real: Real): Promise<Record<Side, { real: Run[]; ours: Run[] }>> {
  const found: Partial<Record<"real" | "ours", Record<Side, Run[]>>> = {};
  await Promise.all(
    (["real", "ours"] as const).map((kind) =>
      pools[real][kind].use(async (link) => void (found[kind] = await play(link, scene))),
    ),
  );
  return {
    server: { real: found.real!.server, ours: found.ours!.server },
    client: { real: found.ours!.client, ours: found.real!.client },
  };
}

const begun = (runs: readonly Run[], name: string): Run => {
  const run = runs.find((one) => one.name === name);
  if (run === undefined) throw new Error(`${name} was not run: ${runs.map((one) => one.name).join()}`);
  return run;
};

/** Waits until scripts have ended, or have at least written their records. */
async function until(end: End, file: "ended" | "record", names: readonly string[]): Promise<void> {
  for (const name of names) {
    const found = `for n in ${RECORDS}/*; do grep -q '^name ${name}$' $n/record 2>/dev/null && [ -s $n/${file} ] && exit 0; done`;
    const { status } = await end.run(`for try in $(seq 200); do ${found}; sleep 0.2; done; exit 1`);
    if (status !== 0) throw new Error(`${name} did not end`);
  }
}

function on(name: string, act: (real: Real) => Promise<void>): void {
  for (const real of REALS) {
    const skip = laplinkMissing(real);
    const whole = real === "real" ? name : `${name} (${real})`;
    test.concurrent.skipIf(skip !== undefined)(skip === undefined ? whole : `${whole} [skipped: ${skip}]`, () =>
      act(real),
    );
  }
}

const line = (name: string): string => `${name} "PROBE_NAME=${name} /etc/ppp/line"`;
const COMMON = `115200 local -detach lock child-timeout 300
set ALPHA=1 set "BETA=two words" set DEVICE=mine unset DROPPED unset IPREMOTE set ALPHA=2
${["init", "connect", "welcome", "disconnect"].map(line).join("\n")}
`;

const LOGIN: Play = {
  files: {
    server: {
      ...probes([...HOOKS, "line"]),
      options: "",
      "peers/probe": `/dev/ttyS1
${COMMON}
auth require-pap login 10.0.0.1:10.0.0.2 ms-dns 10.0.0.53 ms-dns 10.0.0.54 ms-wins 10.0.0.55
ipparam "a word or two" linkname laplink remotenumber 5551234 logfd 2
`,
      "pap-secrets": '* * "" *\n',
    },
    client: {
      ...probes([...HOOKS, "line"]),
      options: "",
      "peers/probe": `/dev/ttyS0
${COMMON}
noauth user zaphod usepeerdns defaultroute ipparam client logfile /etc/ppp/log
`,
      "pap-secrets": "zaphod * gargleBlaster\n",
    },
  },
  commands: {
    server: 'env -i PATH="$PATH" KEPT=1 DROPPED=1 pppd call probe',
    client: 'env -i PATH="$PATH" KEPT=1 DROPPED=1 pppd call probe',
  },
  then: async (link, { server }) => {
    await until(link.server, "ended", ["auth-up", "ipv6-up"]);
    await until(link.client, "ended", ["ipv6-up"]);
    for (const side of sides) await until(link[side], "record", ["ip-up"]);
    await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
    // The link has ended. Only now may ip-down begin.
    await Promise.all([server.waitFor(/^Modem hangup/), until(link.client, "record", ["disconnect"])]);
    for (const side of sides) await link[side].run(`touch ${GO}`);
  },
  judge: async (link, { client }) => {
    // With logfile nothing is printed on the terminal.
    expect(client.lines).toEqual([]);
    const log = (await link.client.run("cat /etc/ppp/log")).stdout;
    for (const line of ["Serial connection established.", "remote IP address 10.0.0.1", "Serial link disconnected."])
      expect(log.split("\n")).toContain(line);
  },
};

/** The second script does not start before the first has ended. */
const ORDER = [
  ["init", "connect"],
  ["connect", "welcome"],
  ["welcome", "ip-pre-up"],
  ["ip-pre-up", "ip-up"],
  ["ip-up", "ip-down"],
  ["ipv6-up", "ipv6-down"],
] as const;

const RENAMED: Play = {
  files: {
    server: {
      "ip-pre-up": `${PROBE}ip link set dev "$1" down; ip link set dev "$1" name wan7\n`,
      "ip-up": PROBE,
      "ip-down": PROBE,
      "ipv6-down": PROBE,
      options: "",
      "peers/probe":
        "/dev/ttyS1 115200 local -detach noauth child-timeout 300 defaultroute 10.0.0.1:10.0.0.2 linkname lap\n",
    },
    client: { options: "", "peers/probe": "/dev/ttyS0 115200 local -detach noauth\n" },
  },
  commands: { server: "pppd call probe", client: "pppd call probe" },
  then: async (link, { client }) => {
    await until(link.server, "ended", ["ip-up"]);
    await client.waitFor("remote IP address");
    expect((await link.client.run("ping -c 5 -i 0.5 10.0.0.1")).status).toBe(0);
    await link.server.run("kill -TERM $(head -n1 /var/run/ppp-lap.pid)");
  },
  judge: async () => {},
};

on(
  "an interface that ip-pre-up renames goes on under its new name, which the scripts after it are told",
  async (real) => {
    const { server } = await both(RENAMED, real);
    const seen = (runs: readonly Run[], name: string): string[] =>
      begun(runs, name).lines.filter((line) =>
        /^argument (ppp|wan)|^env IFNAME|^interface|^file ppp|dev wan7/.test(line),
      );
    for (const name of ["ip-pre-up", "ip-up", "ip-down", "ipv6-down"])
      expect([name, ...seen(server.ours, name).flatMap((line) => normal(line, real))]).toEqual([
        name,
        ...seen(server.real, name).flatMap((line) => normal(line, real)),
      ]);
    expect(begun(server.ours, "ip-up").lines).toContain("argument wan7");
  },
);

on("every script is given what the real pppd gives it, and waits for those the real one waits for", async (version) => {
  const found = await both(LOGIN, version);
  for (const side of sides) {
    const { real, ours } = found[side];
    expect(givenTo(ours, version)).toEqual(givenTo(real, version));
    for (const runs of [real, ours])
      for (const [first, second] of side === "server" ? [...ORDER, ["auth-up", "auth-down"] as const] : ORDER)
        if (begun(runs, second).began < begun(runs, first).ended)
          throw new Error(`${second} began before ${first} ended`);
  }
});
