// The arguments and environment of the scripts in /etc/ppp and of the commands on the line: the real pppds and ours, on
// either side of the same session, must leave the same records.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines } from "../kit/machine.ts";
import { until } from "../kit/patience.ts";
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
/** A FIFO: ip-up ends when somebody writes to it. */
const GO = `${RECORDS}/go`;

/**
 * Records what it is given in a folder of its own, and when it ends the time. It starts few programs, because each is
 * dear in a guest: {@link linesOf} makes lines of what it records. The environment is the one at the start, because a
 * shell adds variables.
 */
const PROBE = `#!/bin/sh
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
read -r began rest </proc/uptime
here=${RECORDS}/$began-$$
mkdir $here
(exec ls -l /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 /proc/$$/cwd) >$here/links
cat /proc/$$/environ /proc/$$/status /proc/$$/stat >$here/process
name=\${PROBE_NAME:-\${0##*/}}
{
  echo "name $name"
  for word; do echo "argument $word"; done
  printf 'umask '; umask
  case $name in ip*-up) echo file /var/run/ppp*; esac
} >$here/said
case $name in ip-*|ipv6-*) ip addr show dev "$1" >$here/addresses; esac
case $name in ip-*)
  ip route show >$here/routes
  [ -e /etc/ppp/resolv.conf ] && cat /etc/ppp/resolv.conf >$here/resolv
esac
: >$here/record
sleep 0
read -r ended rest </proc/uptime
echo $ended >$here/ended
`;

/** Lines that tell what a probe has recorded in its files. */
function linesOf(files: ReadonlyMap<string, string>): string[] {
  const lines = (name: string): string[] => (files.get(name) ?? "").split("\n").filter((one) => one !== "");
  const [name = "", ...said] = lines("said");
  const kind = name.split(" ")[1]!;
  const [environment = "", status = ""] = (files.get("process") ?? "").split(/\0(?=Name:)/);
  const [pid, , , , group, session] = status.trimEnd().split("\n").at(-1)!.split(" ");
  const links = new Map(lines("links").map((link) => link.split("/proc/").at(-1)!.split(" -> ") as [string, string]));
  const addresses = lines("addresses");
  const family = kind.startsWith("ipv6-") ? "inet6" : "inet";
  return [
    name,
    ...said.filter((line) => line.startsWith("argument ")),
    ...environment
      .split("\0")
      .sort()
      .map((one) => `env ${one}`),
    ...["0", "1", "2"].map((fd) => `fd ${fd} ${links.get(`${pid}/fd/${fd}`)}`),
    `cwd ${links.get(`${pid}/cwd`)}`,
    ...said.filter((line) => line.startsWith("umask ")),
    ...status.split("\n").filter((line) => /^(Uid|Gid|SigBlk):/.test(line)),
    ...(group === pid ? ["leads its group"] : []),
    ...(session === pid ? ["leads its session"] : []),
    ...(kind.startsWith("ip-") && addresses.some((line) => /[<,]UP/.test(line)) ? ["interface is up"] : []),
    ...addresses
      .flatMap(
        (line) =>
          RegExp(`\\b${family} .*`)
            .exec(line)?.[0]
            .replace(/ scope.*/, "") ?? [],
      )
      .map((one) => `interface has ${one}`),
    ...lines("routes").map((route) => `route ${route.trimEnd()}`),
    ...lines("resolv").map((line) => `resolv.conf ${line}`),
    ...said
      .filter((line) => line.startsWith("file "))
      .flatMap((line) => line.split(" ").slice(1))
      .map((path) => `file ${path.split("/").at(-1)}`),
  ];
}

const HOOKS = ["auth-up", "auth-down", "ip-pre-up", "ip-up", "ip-down", "ipv6-up", "ipv6-down"];

function probes(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, name === "ip-up" ? PROBE.replace("sleep 0", `: <${GO}`) : PROBE]),
  );
}

/** One run of a script. */
interface Run {
  readonly name: string;
  /** In seconds since that machine was started. */
  readonly began: number;
  readonly ended: number;
  readonly lines: readonly string[];
}

async function runsOn(end: End): Promise<Run[]> {
  const { stdout } = await end.run(`cd ${RECORDS}; rm go; tail -n +1 */*`);
  const probes = new Map<string, Map<string, string>>();
  for (const [, probe = "", file = "", text = ""] of stdout.matchAll(
    /^==> (.*)\/(.*) <==\n([\s\S]*?)(?=\n?^==> |$(?![\s\S]))/gm,
  )) {
    const files = probes.get(probe) ?? new Map<string, string>();
    probes.set(probe, files.set(file, text));
  }
  return [...probes].map(([probe, files]) => {
    const lines = linesOf(files);
    return {
      name: lines[0]!.split(" ")[1]!,
      began: parseFloat(probe),
      ended: parseFloat(files.get("ended") ?? ""),
      lines,
    };
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
      // Debian's sh blocks all signals for a moment when it starts a program.
      .replace(/^(SigBlk:\s*)fffffffe7ffbfeff$/, "$10000000000000000")
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
      await link[side].run(`rm -rf ${RECORDS}; mkdir ${RECORDS}; mkfifo ${GO}`);
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
async function written(end: End, file: "ended" | "record", names: readonly string[]): Promise<void> {
  await until(`the ${file} of ${names.join(" and ")}`, async () => {
    const { stdout } = await end.run(`cd ${RECORDS}; echo */${file}; grep -s '^name ' */said`);
    const [files = "", ...lines] = stdout.split("\n");
    const found = lines.flatMap((line) => {
      const [, probe, name] = /^(.*)\/said:name (.+)$/.exec(line) ?? [];
      return probe !== undefined && files.split(" ").includes(`${probe}/${file}`) ? [name] : [];
    });
    return names.every((name) => found.includes(name));
  });
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
    await written(link.server, "ended", ["auth-up", "ipv6-up"]);
    await written(link.client, "ended", ["ipv6-up"]);
    for (const side of sides) await written(link[side], "record", ["ip-up"]);
    await link.client.run("kill -TERM $(head -n1 /var/run/ppp0.pid)");
    // The link has ended. Only now may ip-down begin.
    await Promise.all([server.waitFor(/^Modem hangup/), written(link.client, "record", ["disconnect"])]);
    for (const side of sides) await link[side].run(`: >${GO}`);
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
    await written(link.server, "ended", ["ip-up"]);
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
