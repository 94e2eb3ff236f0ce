// forward with user-mode networking: programs beside a pppd without rights reach servers of the peer, and the peer reaches no server
// of their loopback. The peer is our pppd with a TUN of its own.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { closeMachines, machinesMissing, openMachine, tunMissing } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built, builtFor, Program } from "../kit/program.ts";
import { PATIENT } from "./patient-options.ts";

setDefaultTimeout(5 * PATIENCE_MS);

const PAGE = "0123456789".repeat(100_000);
const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"];
/** Asks for the address of a.b, twice from the same port, and prints the answers' addresses. */
const ASK = `
  const question = Buffer.from("123401000001000000000000" + "01610162000001" + "0001", "hex");
  let answers = 0;
  const socket = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data(socket, data, port, from) {
    console.log(from + ":" + port + " " + [...data.subarray(-4)].join("."));
    if (++answers === 2) process.exit(0);
    socket.send(question, 5300, "127.0.0.1");
  } } });
  setInterval(() => socket.send(question, 5300, "127.0.0.1"), 2000);
  socket.send(question, 5300, "127.0.0.1");`;

let programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  programs = [];
  await closeMachines();
});

const why =
  machinesMissing() ??
  tunMissing() ??
  (["setpriv", "curl"].every((tool) => Bun.which(tool)) ? undefined : "setpriv or curl is not installed");

test.skipIf(why !== undefined)(
  `forward leads to the peer's servers by TCP and UDP${why === undefined ? "" : ` [skipped: ${why}]`}`,
  async () => {
    const [near, far] = await Promise.all([
      openMachine("near", { files: { "/etc/ppp/options": PATIENT } }),
      openMachine("far", { files: { "/etc/ppp/options": PATIENT } }),
    ]);
    const start = async (argv: readonly string[], machine: typeof near, text: string): Promise<Program> => {
      const program = new Program(argv, { machine });
      programs.push(program);
      await program.waitFor(text);
      return program;
    };
    const serve = (machine: typeof near, address: string): Promise<Program> =>
      start([process.execPath, `${import.meta.dir}/../kit/outside.ts`, address], machine, "ready");
    const words = ["8080=80/tcp", "127.0.0.1:5300=53/udp", "8081=81/tcp", "90=80/tcp"];
    const server = near.argv([
      ...NOBODY,
      builtFor(near, "pppd"),
      ...["notty", "usernet", "noauth", "10.0.0.1:10.0.0.2", "noccp", "logfd", "2"],
      ...words.flatMap((word) => ["forward", word]),
    ]);
    const pty = server.map((word) => `'${word}'`).join(" ");
    const client = await start(
      [built("pppd"), ...["nodetach", "noauth", "noipv6", "noccp", "nodefaultroute", "pty", pty]],
      far,
      "remote IP address 10.0.0.1",
    );
    await client.waitFor("Port 127.0.0.1:5300/udp leads to port 53 of the peer");
    await client.waitFor(
      "Port 90/tcp is not forwarded: Permission denied (ports below 1024 need root or CAP_NET_BIND_SERVICE)",
    );
    await Promise.all([serve(far, "10.0.0.2"), serve(near, "127.0.0.1")]);
    const curl = (machine: typeof near, url: string) => machine.run("curl", "-sS", url);
    for (const host of ["127.0.0.1", "[::1]"]) {
      const page = await curl(near, `http://${host}:8080/`);
      expect([page.stderr, page.stdout === PAGE]).toEqual(["", true]);
    }
    const asked = await near.run(process.execPath, "-e", ASK);
    expect(asked.stdout).toBe("127.0.0.1:5300 10.0.0.2\n".repeat(2));
    // The peer has no server at port 81: the caller is reset, perhaps before curl knows that it is connected.
    expect([7, 56]).toContain((await curl(near, "http://127.0.0.1:8081/")).status);
    // Only the loopback of the near machine has a server, which is not for the peer: neither with a way out of a machine without
    // any other address, nor when it has one.
    expect((await near.run("ip", "route", "add", "default", "dev", "lo")).status).toBe(0);
    expect((await curl(far, "http://10.0.0.1/")).status).toBe(7);
    await near.run("ip", "addr", "add", "192.0.2.80/24", "dev", "lo");
    expect((await curl(far, "http://10.0.0.1/")).status).toBe(7);
    await serve(near, "192.0.2.80");
    expect((await curl(far, "http://10.0.0.1/")).stdout === PAGE).toBe(true);
    await client.stop();
    programs = programs.filter((program) => program !== client);
    await until("the port is closed", async () => (await curl(near, "http://127.0.0.1:8080/")).status === 7);
  },
);
