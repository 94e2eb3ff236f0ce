// `files`: the process that serves a folder is up and down with the link.

import { expect, test } from "bun:test";
import { parseStatus } from "../../src/run/live/parsed-status.ts";
import { Laplink } from "./laplink.ts";

const LINE = ["/dev/ttyUSB0", "115200", "noauth", "nodetach", "local", "noccp"];

/** Two computers, the first of them with these words. */
function scene(
  words: readonly string[],
  prepare: (computer: Laplink["computers"][0]) => void = () => {},
  clientWords: readonly string[] = [],
) {
  const link = new Laplink({ seed: 1 });
  const [near, far] = link.computers;
  near.files.put("/etc/ppp/ip-up", "#!/bin/sh\n", 0o755);
  prepare(near);
  const server = near.start([...LINE, "10.0.0.1:10.0.0.2", ...words]);
  const client = far.start([...LINE, "noipdefault", "persist", ...clientWords]);
  const isUp = (): boolean => server.lines.some((line) => line.startsWith("remote IP address"));
  expect(link.time.runUntil(isUp, 60_000)).toBe(true);
  link.time.run(1000);
  const end = (): void => {
    for (const one of [server, client]) one.signal("SIGTERM");
    expect(link.time.runUntil(() => !server.isRunning && !client.isRunning, 20_000)).toBe(true);
    expect([server.fault, client.fault]).toEqual([undefined, undefined]);
    expect(link.leftOn(0)).toEqual([]);
  };
  const [publication] = near.processes.publications.values();
  return {
    link,
    near,
    server,
    client,
    status: parseStatus(publication!.text()),
    served: near.processes.fileServers,
    end,
  };
}

function urlForScripts(near: Laplink["computers"][0]): string | undefined {
  const env = near.processes.hookEnvironments.get("/etc/ppp/ip-up");
  if (env === undefined) throw new Error("ip-up was not started");
  return env["FILES_URL"];
}

test("ip-up waits for a folder on a disk that does not answer, but not for long", () => {
  const play = scene(["files", "/srv"], ({ processes }) => {
    processes.isFolderSlow = true;
  });
  const { hookEnvironments } = play.near.processes;
  expect([hookEnvironments.has("/etc/ppp/ip-up"), play.status?.files]).toEqual([false, undefined]);
  play.link.time.run(6000);
  expect(urlForScripts(play.near)).toBeUndefined();
  play.end();
});

test("where IPv4 does not come up, it is said once that nothing is served", () => {
  const link = new Laplink({ seed: 1 });
  const [near, far] = link.computers;
  const server = near.start([...LINE, "+ipv6", "files", "/srv"]);
  const client = far.start([...LINE, "+ipv6", "noip", "persist"]);
  const isUp = (): boolean => server.lines.some((line) => line.startsWith("remote LL address"));
  expect(link.time.runUntil(isUp, 60_000)).toBe(true);
  link.time.run(60_000);
  expect(server.lines.filter((line) => line.startsWith("Files"))).toEqual([
    "Files of /srv are not served: this link has IPv6 only, and files are served by IPv4",
  ]);
  for (const one of [server, client]) one.signal("SIGTERM");
  expect(link.time.runUntil(() => !server.isRunning && !client.isRunning, 20_000)).toBe(true);
});

test("a folder is served from IPv4's beginning to its end, and its address is told", () => {
  const play = scene(["files", "/srv/pub", "files-write", "files-quota", "5M", "files-names", "8.3"]);
  expect(play.served.map(({ request }) => request)).toEqual([
    {
      directory: "/srv/pub",
      isWritable: true,
      quota: 5 * 1024 * 1024,
      hasShortNames: true,
      users: null,
      windows: null,
    },
  ]);
  expect(play.server.lines).toContain("Files of /srv/pub are at http://10.0.0.1/ (read and write)");
  expect(play.status?.files).toBe("http://10.0.0.1/");
  expect(play.near.network.served).toEqual([{ address: "10.0.0.1", port: 80, device: "ppp0" }]);
  expect(play.served[0]!.isRunning).toBe(true);
  play.end();
  expect(play.served.map(({ isRunning }) => isRunning)).toEqual([false]);
});

test("where port 80 is taken, 8080 is used, and with files-port no other", () => {
  const take = ({ network }: Laplink["computers"][0]): void => void network.takenPorts.add(80);
  const play = scene(["files", "/srv"], take);
  expect(play.server.lines).toContain("Files of /srv are at http://10.0.0.1:8080/ (read only)");
  play.end();
  const given = scene(["files", "/srv", "files-port", "80"], take);
  expect(given.server.lines).toContain("Files of /srv are not served at 10.0.0.1:80: Address already in use");
  expect([given.served, given.status?.files]).toEqual([[], undefined]);
  given.end();
});

test("with files-smb Windows finds the folder too: its sessions, its names, and a server of names", () => {
  const play = scene(["files", "/srv", "files-smb"], undefined, ["usepeerwins", "debug"]);
  const device = "ppp0";
  expect(play.near.network.served).toEqual([
    { address: "10.0.0.1", port: 80, device },
    { address: "10.0.0.1", port: 139, device },
    { address: "0.0.0.0", port: 137, device },
  ]);
  expect(play.served[0]?.request.windows).toEqual({ address: "10.0.0.1", hasNames: true });
  expect(play.client.lines.join()).toMatch(/rcvd \[IPCP ConfAck .*<ms-wins 10.0.0.1>/);
  play.end();
});

test("where Samba has the ports of Windows' network, that is said, and the rest is served", () => {
  const play = scene(["files", "/srv", "files-smb"], ({ network }) => void network.takenPorts.add(139));
  expect(play.server.lines.join("\n")).toContain(
    "port 139 is taken, as a rule by Samba: stop it (systemctl stop smbd)",
  );
  expect(play.server.lines).toContain("Files of /srv are at http://10.0.0.1/ (read only)");
  expect(play.served[0]?.request.windows).toBeNull();
  play.end();
  const names = scene(["files", "/srv", "files-smb"], ({ network }) => void network.takenPorts.add(137));
  expect(names.server.lines.join("\n")).toContain("port 137 is taken, as a rule by Samba's nmbd (systemctl stop nmbd)");
  expect(names.served[0]?.request.windows).toEqual({ address: "10.0.0.1", hasNames: false });
  names.end();
});

test("its users", () => {
  const secrets = 'zaphod * gargle\n* * ""\ntrillian other beeb\nford * ""\nmarvin * @login\n';
  const play = scene(["files", "/srv", "files-auth"], ({ files }) => files.put("/etc/ppp/pap-secrets", secrets));
  expect(play.served[0]?.request.users).toEqual([["zaphod", "gargle"]]);
  play.end();
  const nobody = scene(["files", "/srv", "files-auth"]);
  const reason = "no user has a password in the files of secrets, and files-auth asks for one";
  expect(nobody.server.lines).toContain(`Files of /srv are not served: ${reason}`);
  expect(nobody.served).toEqual([]);
  nobody.end();
});

test("with usernet, port 80 of our address leads to the loopback", () => {
  const play = scene(["files", "/srv", "usernet"], ({ network }) => void network.takenPorts.add(80));
  expect(play.server.lines).toContain("Files of /srv are at http://10.0.0.1/ (read only)");
  play.end();
});

test("what the process finds is told: that it cannot serve, or not take files", () => {
  const closed = scene(["files", "/srv"], ({ processes }) => {
    processes.filesOpened = { trouble: "open: Permission denied" };
  });
  expect(closed.server.lines.filter((line) => line.startsWith("Files"))).toEqual([
    "Files of /srv are not served: open: Permission denied",
  ]);
  expect(closed.status?.files).toBeUndefined();
  expect(urlForScripts(closed.near)).toBeUndefined();
  closed.end();
  const whyNot = "nobody may not write there; chown it or chmod it";
  const play = scene(["files", "/srv", "files-write"], ({ processes }) => {
    processes.filesOpened = { isWritable: true, whyNot };
  });
  const access = `read and write, but not in the folder itself: ${whyNot}`;
  expect(play.server.lines).toContain(`Files of /srv are at http://10.0.0.1/ (${access})`);
  expect(urlForScripts(play.near)).toBe("http://10.0.0.1/");
  play.end();
});
