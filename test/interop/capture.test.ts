// A live capture, read by the real tshark from a pipe while two machines talk over a cable, and files of --file, read by it
// afterwards.

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Laplink, LinkPool } from "../kit/end.ts";
import { closeMachines, machinesMissing, tunMissing } from "../kit/machine.ts";
import { BIN, Program } from "../kit/program.ts";
import { PATIENT } from "./patient-options.ts";
import { TSHARK } from "./judges.ts";

setDefaultTimeout(300_000);
const skip = machinesMissing() ?? tunMissing() ?? (TSHARK === null ? "no tshark here" : undefined);
const titled = (name: string): string => (skip === undefined ? name : `${name} [skipped: ${skip}]`);
const pool = new LinkPool("ours", "ours", 1);
afterAll(async () => {
  await pool.close();
  await closeMachines();
});

const OPTIONS = `${PATIENT}lock\nnoipv6\nlcp-echo-interval 1\nlcp-echo-failure 10\n`;
const SECRETS = "zaphod * gargleBlaster *\n";
const LINE = "local -detach 115200 deflate 15";
const FIELDS = ["frame.interface_name", "frame.p2p_dir", "_ws.col.Protocol", "_ws.col.Info", "frame.comment"]
  .map((field) => `-e ${field}`)
  .join(" ");
const TSHARK_ROWS = `tshark -l -n -r - -T fields -E separator=/t ${FIELDS} 2>/dev/null`;

/** A pipe that starts on an end and prints what tshark sees, a row a packet. */
function seen({ client }: Laplink, words: string): Program {
  const { machine } = client as unknown as {
    machine: NonNullable<ConstructorParameters<typeof Program>[1]>["machine"];
  };
  const env = { PATH: `${BIN}:/usr/sbin:/usr/bin:/sbin:/bin` };
  return new Program(["sh", "-c", `nullmodem capture ${words} | ${TSHARK_ROWS}`], { machine: machine!, env });
}

test.skipIf(skip !== undefined)(
  titled(
    "tshark sees a link come up and packets of it in both directions, compressed and not, with the states between",
  ),
  () =>
    pool.use(async (link) => {
      await link.server.install({ options: `${OPTIONS}auth\nrequire-pap\nname srv\n`, "pap-secrets": SECRETS });
      await link.client.install({ options: `${OPTIONS}noauth\nuser zaphod\n`, "pap-secrets": SECRETS });
      const client = await link.client.start(`pppd /dev/ttyS0 ${LINE}`);
      await client.waitFor("Connect: ");
      // The link is not up: nobody is at the other end yet.
      const [line, plain] = [seen(link, "ttyS0"), seen(link, "--both ttyS0")];
      const file = await link.client.start(
        "nullmodem capture ttyS0 --decompressed --file /run/a.pcapng --rotate 4k --keep 3",
      );
      await Promise.all([line.waitFor(/LCP.*Configuration Request/), plain.waitFor(/Configuration Request/)]);
      const server = await link.server.start(`pppd /dev/ttyS1 ${LINE} 10.0.0.1:10.0.0.2`);
      await Promise.all([server.waitFor(/^remote IP address/), client.waitFor(/^remote IP address/)]);
      expect((await link.client.run("ping -c 20 -i 0.05 -s 400 -p 61 10.0.0.1")).status).toBe(0);

      for (const program of [line, plain]) {
        for (const text of ["phase authenticate", "phase network", "IPv4 is up: 10.0.0.2, peer 10.0.0.1"])
          await program.waitFor(new RegExp(`systemd Journal.*${text}`, "i"));
        await program.waitFor(/\/dev\/ttyS0\t0\tPPP LCP\tConfiguration Ack/);
        await program.waitFor(/\/dev\/ttyS0\t1\tPPP LCP\tConfiguration Ack/);
        await program.waitFor(/Authenticate-Request.*Password='\*{13}'/i);
        await program.waitFor(/\t.*phase network$/);
      }
      await line.waitFor(/ttyS0\t[01]\tPPP Comp\t/i);
      await plain.waitFor(/^ppp0\t0\tICMP\tEcho \(ping\) request/);
      await plain.waitFor(/^ppp0\t1\tICMP\tEcho \(ping\) reply/);
      const past = seen(link, "--since 60s ppp0");
      await past.waitFor(/phase authenticate/);

      // A reader that wants no more ends the capture.
      expect((await link.client.run("nullmodem capture ppp0 | head -c 28 | wc -c")).stdout.trim()).toBe("28");
      await link.client.run("kill -TERM $(cat /var/run/ppp0.pid)");
      expect(await client.exit()).toBe(5);
      expect(await server.exit()).toBe(16);
      await Promise.all([line, plain, past].map((program) => program.exit()));
      expect(await file.exit()).toBe(0);
      for (const { lines } of [line, plain])
        expect(lines.some(({ text }) => text.includes("systemd Journal\t/dev/ttyS0: phase dead"))).toBe(true);
      const malformed = [...line.lines, ...plain.lines, ...past.lines].filter(({ text }) => /malformed/i.test(text));
      expect(malformed).toEqual([]);
      const { stdout } = await link.client.run(
        "cd /run; ls a.pcapng*; for f in a.pcapng*; do tshark -r $f -q >/dev/null || echo bad $f; done; cat a.pcapng*; rm a.pcapng*",
      );
      expect(stdout).toStartWith("a.pcapng\na.pcapng.1\na.pcapng.2\n");
      expect(stdout).not.toMatch(/bad a|gargleBlaster/);
      expect([await link.server.traces(), await link.client.traces()]).toEqual([[], []]);
    }),
);
