// A USB adapter that is pulled out and comes back under another name. Pseudo terminals stand for adapters, and a /sys
// of the test describes them as adapters.

import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import type { Program } from "../kit/program.ts";
import { Sysfs } from "../kit/sysfs.ts";
import { asleep, FarSide, missing, pppdPath, Scene, sleeps, titled, until } from "./scene.ts";

setDefaultTimeout(30_000);
const reason = missing ?? (process.getuid?.() === 0 ? undefined : "needs root for mounts");
const on = (name: string, play: () => Promise<void>): void =>
  test.skipIf(reason !== undefined)(titled(name, reason), play);

const SERIAL = { port: "1-1", serial: "A7003" };
const WORDS = [
  "lock",
  "noauth",
  "nodetach",
  "local",
  "persist",
  "maxfail",
  "2",
  "10.0.0.1:10.0.0.2",
  "lcp-restart",
  "1",
];
const BY_ID = "/dev/serial/by-id/usb-Maker_Adapter_A7003-if00-port0";

/** A machine whose adapters are pseudo terminals. */
class Adapters {
  readonly scene: Scene;
  readonly #fars: readonly FarSide[];
  readonly #sysfs: Sysfs;

  constructor(scene: Scene, fars: readonly FarSide[]) {
    this.scene = scene;
    this.#fars = fars;
    this.#sysfs = new Sysfs(scene.machine.path("/run/sys"));
  }

  static async open(files: Readonly<Record<string, string>> = {}): Promise<Adapters> {
    const fars = Array.from({ length: 3 }, () => new FarSide());
    const scene = await Scene.open(files, Object.fromEntries(fars.map(({ tty }, nth) => [`pool${nth}`, tty])));
    const adapters = new Adapters(scene, fars);
    opened = adapters;
    // The links in it are absolute and valid inside the machine.
    const { status, stderr } = await scene.machine.run("mount", "--bind", "/run/sys/class/tty", "/sys/class/tty");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    await scene.remember();
    return adapters;
  }

  /** Makes the nth pseudo terminal an adapter of this name, with a peer that answers. */
  async plug(nth: number, tty: string): Promise<void> {
    const { machine } = this.scene;
    this.#fars[nth]!.answer();
    this.#sysfs.plug({ tty, ...SERIAL });
    await machine.run("sh", "-ec", `: >/dev/${tty}; mount --bind /dev/pool${nth} /dev/${tty}`);
  }

  async unplug(nth: number, tty: string): Promise<void> {
    this.#sysfs.unplug(tty, SERIAL.port);
    await this.scene.machine.run("sh", "-ec", `umount -l /dev/${tty}; rm /dev/${tty}`);
    this.#fars[nth]!.hangUp();
  }

  link(tty: string | undefined): void {
    const path = this.scene.machine.path(BY_ID);
    mkdirSync(this.scene.machine.path("/dev/serial/by-id"), { recursive: true });
    rmSync(path, { force: true });
    if (tty !== undefined) symlinkSync(`../../${tty}`, path);
  }

  get locks(): string[] {
    return readdirSync(this.scene.machine.path("/run/lock"));
  }

  text(path: string): string | undefined {
    const file = this.scene.machine.path(path);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  async close(): Promise<void> {
    await this.scene.close();
    for (const far of this.#fars) far.hangUp();
  }
}

let opened: Adapters | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

const said = ({ lines }: Program, pattern: RegExp): string[] =>
  lines.map(({ text }) => text).filter((text) => pattern.test(text));
const WENT = /is gone|is back|Failed to open|Modem hangup/;

on("it is waited for without a word, asleep, and followed to its new name", async () => {
  const ipUp = '#!/bin/sh\necho "$2 $DEVICE" >>/run/ups\n';
  const it = await Adapters.open({ "/etc/ppp/options.ttyUSB0": "mru 1234\n", "/etc/ppp/ip-up": ipUp });
  await it.plug(0, "ttyUSB0");
  const pppd = it.scene.run([pppdPath(), "/dev/ttyUSB0", "debug", ...WORDS]);
  await pppd.waitFor("remote IP address");
  expect(it.locks).toEqual(["LCK..ttyUSB0"]);
  await it.unplug(0, "ttyUSB0");
  const gone = await pppd.waitFor("/dev/ttyUSB0 is gone; waiting for it");
  expect(it.locks).toEqual([]);
  const before = sleeps(pppd.pid);
  await until("it has looked for the adapter again", () => sleeps(pppd.pid) > before + 2);
  await asleep(pppd.pid);
  expect(pppd.lines.at(-1)).toBe(gone);
  await it.plug(1, "ttyUSB1");
  const back = await pppd.waitFor("remote IP address", { after: gone });
  expect(it.locks).toEqual(["LCK..ttyUSB1"]);
  expect(said(pppd, WENT)).toEqual([
    "Modem hangup",
    "/dev/ttyUSB0 is gone; waiting for it",
    "/dev/ttyUSB0 is back as /dev/ttyUSB1",
  ]);
  // options.ttyUSB0 is still in force.
  expect(said(pppd, /^sent \[LCP ConfReq.* <mru 1234>/).length).toBeGreaterThanOrEqual(2);
  expect(said(pppd, /^Connect: /)).toEqual(["Connect: ppp0 <--> /dev/ttyUSB0", "Connect: ppp0 <--> /dev/ttyUSB1"]);
  await it.unplug(1, "ttyUSB1");
  await pppd.waitFor("/dev/ttyUSB1 is gone; waiting for it");
  await it.plug(2, "ttyUSB0");
  await pppd.waitFor("remote IP address", { after: back });
  await until("three ups", () => it.text("/run/ups")?.split("\n").length === 4);
  expect(it.text("/run/ups")).toBe("/dev/ttyUSB0 /dev/ttyUSB0\n/dev/ttyUSB1 /dev/ttyUSB1\n/dev/ttyUSB0 /dev/ttyUSB0\n");
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
  rmSync(it.scene.machine.path("/run/ups"));
  expect(await it.scene.leftBehind()).toEqual([]);
});

on("it need not be plugged in at the start; without persist that is an error", async () => {
  const it = await Adapters.open({ "/etc/ppp/options.ttyUSB0": "mru 1234\n" });
  const pppd = it.scene.run([pppdPath(), "/dev/ttyUSB0", "debug", ...WORDS]);
  await pppd.waitFor("/dev/ttyUSB0 is not there yet; waiting for it");
  expect(it.locks).toEqual([]);
  await it.plug(0, "ttyUSB0");
  await pppd.waitFor("remote IP address");
  expect(it.locks).toEqual(["LCK..ttyUSB0"]);
  expect(said(pppd, /waiting for it|is there|is back/)).toEqual([
    "/dev/ttyUSB0 is not there yet; waiting for it",
    "/dev/ttyUSB0 is there",
  ]);
  expect(said(pppd, /^sent \[LCP ConfReq.* <mru 1234>/).length).toBeGreaterThanOrEqual(1);
  await it.unplug(0, "ttyUSB0");
  await pppd.waitFor("/dev/ttyUSB0 is gone; waiting for it");
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
  const refused = it.scene.run([pppdPath(), "/dev/ttyUSB0", ...WORDS.filter((word) => word !== "persist")]);
  expect(await refused.exit()).toBe(2);
  expect(said(refused, /no such device/)).toEqual(["/dev/ttyUSB0: no such device"]);
  expect(await it.scene.leftBehind()).toEqual([]);
});

on("by its link it is the link that is followed; locks are at the device itself", async () => {
  const it = await Adapters.open();
  await it.plug(0, "ttyUSB0");
  it.link("ttyUSB0");
  const pppd = it.scene.run([pppdPath(), BY_ID, ...WORDS]);
  let last = await pppd.waitFor("remote IP address");
  expect(it.locks).toEqual(["LCK..ttyUSB0"]);
  for (const [nth, tty, before] of [
    [1, "ttyUSB4", "ttyUSB0"],
    [2, "ttyUSB0", "ttyUSB4"],
  ] as const) {
    it.link(undefined);
    await it.unplug(nth - 1, before);
    last = await pppd.waitFor(`${BY_ID} is gone; waiting for it`, { after: last });
    expect([it.locks, it.text("/run/ppp0.pid")]).toEqual([[], undefined]);
    // The node comes first, then udev makes the link.
    await it.plug(nth, tty);
    it.link(tty);
    last = await pppd.waitFor("remote IP address", { after: last });
    expect(it.locks).toEqual([`LCK..${tty}`]);
    expect(said(pppd, WENT).at(-1)).toBe(`${BY_ID} is back as /dev/${tty}`);
  }
  expect(said(pppd, WENT)).toHaveLength(6);
  pppd.kill();
  expect(await pppd.exit()).toBe(5);
  expect(await it.scene.leftBehind()).toEqual([]);
});

on("SIGTERM ends the wait; without persist there is none", async () => {
  const it = await Adapters.open();
  for (const [nth, words, status] of [
    [0, WORDS, 5],
    [1, WORDS.filter((word) => word !== "persist"), 16],
  ] as const) {
    await it.plug(nth, "ttyUSB0");
    const pppd = it.scene.run([pppdPath(), "/dev/ttyUSB0", ...words]);
    await pppd.waitFor("remote IP address");
    await it.unplug(nth, "ttyUSB0");
    if (status === 5) {
      await pppd.waitFor("is gone; waiting");
      pppd.kill();
    }
    expect(await pppd.exit(3000)).toBe(status);
    expect(await it.scene.leftBehind()).toEqual([]);
  }
});
