// The page in Chromium, on our own server, over a line that breaks. NULLMODEM_PICTURES is a folder for screenshots.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pageAssets } from "../../src/files/page-assets.ts";
import { Browser } from "../kit/browser.ts";
import { CuttingRelay } from "../kit/cutting-relay.ts";
import { until } from "../kit/patience.ts";
import { inFolder } from "../kit/quick-client.ts";
import { Rng } from "../kit/rng.ts";
import { ServedFolder } from "../kit/served-folder.ts";
import { hashesOf, writeTree } from "../kit/tree.ts";

const program = Browser.program;
const ASSETS = pageAssets((octets) => Bun.gzipSync(Uint8Array.from(octets)));

async function take(browser: Browser, name: string): Promise<void> {
  const folder = process.env["NULLMODEM_PICTURES"];
  if (folder !== undefined) writeFileSync(join(folder, `${name}.png`), await browser.picture());
}

test.skipIf(program === undefined)(
  `a dropped folder and a saved file go on after cuts, and both are whole${program === undefined ? " [skipped: chromium is not here]" : ""}`,
  async () => {
    await inFolder(async (folder) => {
      const rng = new Rng(1);
      const [here, there, saved] = [join(folder, "here"), join(folder, "there"), join(folder, "saved")];
      for (const path of [here, there, saved]) mkdirSync(path);
      const tree = {
        "photos/large.bin": rng.bytes(900_000),
        "photos/deep/caf\xc3\xa9 #1%.txt": rng.bytes(300),
        "photos/empty": rng.bytes(0),
      };
      writeTree(here, tree);
      mkdirSync(join(here, "photos", "nothing"));
      writeTree(there, { "film.bin": rng.bytes(700_000), "notes.txt": rng.bytes(2000) });
      await using server = await ServedFolder.of(there, ASSETS);
      await using relay = await CuttingRelay.to(server.port);
      await using browser = await Browser.open(program!);
      await browser.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: saved });
      await browser.send("Page.navigate", { url: `http://127.0.0.1:${relay.port}/` });
      const said = async (): Promise<string> => String(await browser.evaluate("document.body?.textContent"));
      await until("the script has run", async () => (await said()).includes("or drop files"));
      await take(browser, "listing");

      relay.plan = () => ({ after: 250_000, how: "silence" });
      relay.cut();
      await browser.drop([join(here, "photos")]);
      await until("the upload is under way", async () => /large.* [1-9]\d? %/.test(await said()));
      await take(browser, "upload");
      const press = (name: string): Promise<unknown> =>
        browser.evaluate(`[...document.querySelectorAll("button")].find((b) => b.textContent == "${name}").click()`);
      await press("Pause");
      await until("it pauses", async () => /large.* paused/.test(await said()));
      relay.isUp = false;
      relay.cut();
      await press("Resume");
      await until("it waits", async () => (await said()).includes("waiting for the line"));
      await take(browser, "upload-waits");
      relay.plan = () => (relay.cuts < 4 ? { after: 250_000, how: "reset" } : undefined);
      relay.isUp = true;
      await until("the upload is whole", async () => (await said()).includes("compared by SHA-256"));
      await take(browser, "upload-done");
      expect(await browser.evaluate("document.getElementById('list').textContent")).toContain("photos/");
      const sent = hashesOf(join(there, "photos"));
      expect(sent).toEqual(hashesOf(join(here, "photos")));
      expect(relay.cuts).toBeGreaterThan(1);

      relay.cuts = 0;
      relay.plan = () => (relay.cuts < 3 ? { after: 200_000, how: "reset" } : undefined);
      relay.cut();
      await browser.evaluate("[...document.querySelectorAll('a')].find((a) => a.textContent == 'Save').click()");
      await until("the file is saved", () => existsSync(join(saved, "film.bin")));
      await until("it is whole", () => readFileSync(join(saved, "film.bin")).length === 700_000);
      expect(readFileSync(join(saved, "film.bin")).equals(readFileSync(join(there, "film.bin")))).toBe(true);
      expect(relay.cuts).toBe(3);
      await take(browser, "saved");
    });
  },
  120_000,
);
