// The history of real sessions, and the page of one in Chromium. NULLMODEM_PICTURES is a folder for screenshots.

import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Notty, socketPair } from "../binary/notty.ts";
import { missing, titled } from "../binary/scene.ts";
import { Browser } from "../kit/browser.ts";
import { type Machine, openMachine } from "../kit/machine.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built } from "../kit/program.ts";
import { PATIENT_WORDS } from "./patient-options.ts";

setDefaultTimeout(2 * PATIENCE_MS);

const noBrowser = Browser.program === undefined ? "chromium is not here" : undefined;
const WORDS = ["nodetach", "local", "lcp-echo-interval", "1", ...PATIENT_WORDS];

async function says(machine: Machine, ...command: string[]): Promise<string> {
  const { status, stdout, stderr } = await machine.run(built("nullmodem"), ...command);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

test.skipIf((missing ?? noBrowser) !== undefined)(
  titled(
    "log tells of a session that ended and of one that was killed, and Chromium draws the report",
    missing ?? noBrowser,
  ),
  async () => {
    const files = { "/etc/ppp/pap-secrets": "zaphod * gargleBlaster *\n" };
    const [server, client] = await Promise.all([openMachine("a", { files }), openMachine("b", { files })]);
    const folder = mkdtempSync(join(tmpdir(), "nullmodem-report-"));
    try {
      for (const end of ["SIGKILL", "SIGTERM"] as const) {
        const [ours, theirs] = socketPair();
        const pppd = new Notty(server, ours, ours, [
          ...WORDS,
          "auth",
          "require-pap",
          "linkname",
          end,
          "10.0.0.1:10.0.0.2",
        ]);
        const peer = new Notty(client, theirs, theirs, [...WORDS, "noauth", "user", "zaphod"]);
        await Promise.all([pppd, peer].map((one) => one.says("remote IP address")));
        expect((await client.run("ping", "-c", "3", "-i", "0.2", "10.0.0.1")).status).toBe(0);
        await until("it is up in the log", async () => (await says(server, "log", end)).includes("still up"));
        await until("an echo was answered", async () =>
          (await says(server, "status", "--json")).includes('"roundTrip"'),
        );
        pppd.kill(end);
        await Promise.all([pppd.exit(), peer.exit()]);
      }
      const sessions = JSON.parse(await says(server, "log", "--json")) as Record<string, unknown>[];
      expect(sessions).toMatchObject([
        { linkname: "SIGKILL", peer: "zaphod", up: false, end: "cut short: pppd was killed, or the power failed" },
        { linkname: "SIGTERM", peer: "zaphod", up: false, end: "on request", exit: 5 },
      ]);
      const page = await says(server, "report", "SIGTERM", "-o", "-");
      expect(page).not.toContain("gargleBlaster");
      const path = join(folder, "report.html");
      writeFileSync(path, page);
      await using browser = await Browser.open(Browser.program!);
      await browser.send("Page.navigate", { url: `file://${path}` });
      const heights = `[...document.querySelectorAll("svg")].map((one) => Math.round(one.getBoundingClientRect().height))`;
      await until("it is drawn", async () => ((await browser.evaluate(heights)) as number[]).length === 3);
      for (const height of (await browser.evaluate(heights)) as number[]) expect(height).toBeWithin(100, 250);
      expect(await browser.evaluate(`document.documentElement.scrollWidth <= innerWidth`)).toBe(true);
      const pictures = process.env["NULLMODEM_PICTURES"];
      if (pictures !== undefined) writeFileSync(join(pictures, "report.png"), await browser.picture());
    } finally {
      rmSync(folder, { recursive: true, force: true });
      await Promise.all([server.close(), client.close()]);
    }
  },
);
