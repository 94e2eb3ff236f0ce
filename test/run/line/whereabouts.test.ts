import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../../src/applets/this-machine.ts";
import { type Place, Whereabouts } from "../../../src/run/line/whereabouts.ts";
import { Sysfs } from "../../kit/sysfs.ts";

const missing = process.getuid?.() === 0 ? undefined : "needs root for device nodes";

describe.skipIf(missing !== undefined)(`Whereabouts [${missing ?? "of nodes of its own"}]`, () => {
  let dev = "";
  let sys = "";
  let sysfs: Sysfs;
  const at = (name: string): string => join(dev, name);
  beforeEach(() => {
    const folder = mkdtempSync(join(tmpdir(), "nullmodem-where-"));
    [dev, sys] = [join(folder, "dev"), join(folder, "sys")];
    mkdirSync(dev);
    sysfs = new Sysfs(sys);
  });
  afterEach(() => rmSync(join(dev, ".."), { recursive: true }));

  const OURS = { port: "1-1", serial: "A7003" };
  const plug = (tty: string, what: { port: string; serial: string } = OURS): void => {
    const { exitCode } = Bun.spawnSync(["mknod", at(tty), "c", "1", "3"]);
    expect(exitCode).toBe(0);
    sysfs.plug({ tty, ...what });
  };
  const unplug = (tty: string, { port } = OURS): void => {
    rmSync(at(tty));
    sysfs.unplug(tty, port);
  };
  const here = (name: string): Place => ({ path: at(name), real: at(name), there: true });

  test("an adapter is followed to the name that it comes back with, and back again", () => {
    plug("ttyUSB0");
    const where = new Whereabouts(thisMachine, at("ttyUSB0"), { dev, sys });
    expect(where.opened(where.find(), false)).toBeUndefined();
    unplug("ttyUSB0");
    expect(where.find()).toMatchObject({ path: at("ttyUSB0"), there: false });
    plug("ttyUSB1");
    expect(where.find()).toEqual(here("ttyUSB1"));
    expect(where.opened(where.find(), true)).toBe(`${at("ttyUSB0")} is back as ${at("ttyUSB1")}`);
    // Another adapter with its old name is not taken for it.
    plug("ttyUSB0", { port: "1-2", serial: "B1" });
    expect(where.find()).toEqual(here("ttyUSB1"));
    unplug("ttyUSB0", { port: "1-2", serial: "B1" });
    unplug("ttyUSB1");
    plug("ttyUSB0");
    expect(where.find()).toEqual(here("ttyUSB0"));
    expect(where.opened(where.find(), true)).toBe(`${at("ttyUSB0")} is back as ${at("ttyUSB0")}`);
    unplug("ttyUSB0");
    plug("ttyUSB0");
    expect(where.opened(where.find(), true)).toBe(`${at("ttyUSB0")} is back`);
  });

  test("a port of the given name is used, whichever adapter it is", () => {
    plug("ttyUSB0");
    const where = new Whereabouts(thisMachine, at("ttyUSB0"), { dev, sys });
    unplug("ttyUSB0");
    plug("ttyUSB0", { port: "1-2", serial: "B1" });
    plug("ttyUSB1");
    expect(where.find()).toEqual(here("ttyUSB0"));
  });

  test("a symbolic link is followed to its target, and nowhere else", () => {
    plug("ttyUSB0");
    symlinkSync("ttyUSB0", at("modem"));
    const where = new Whereabouts(thisMachine, at("modem"), { dev, sys });
    expect(where.find()).toEqual({ path: at("modem"), real: at("ttyUSB0"), there: true });
    expect(where.opened(where.find(), false)).toBeUndefined();
    unplug("ttyUSB0");
    plug("ttyUSB1");
    expect(where.find()).toEqual({ path: at("modem"), real: at("modem"), there: false });
    symlinkSync("ttyUSB1", at("new"));
    renameSync(at("new"), at("modem"));
    expect(where.find()).toEqual({ path: at("modem"), real: at("ttyUSB1"), there: true });
    expect(where.opened(where.find(), true)).toBe(`${at("modem")} is back as ${at("ttyUSB1")}`);
  });

  test("a port that was never there is waited for by its name, and a link by its own name", () => {
    for (const name of ["ttyUSB0", "modem"]) {
      const where = new Whereabouts(thisMachine, at(name), { dev, sys });
      const place = where.find();
      expect(place).toEqual({ path: at(name), real: at(name), there: false });
      expect(where.missing(place)).toBe(`${at(name)} is not there yet; waiting for it`);
      plug("ttyUSB0");
      if (name === "modem") symlinkSync("ttyUSB0", at("modem"));
      expect(where.find()).toEqual({ path: at(name), real: at("ttyUSB0"), there: true });
      expect(where.opened(where.find(), true)).toBe(`${at(name)} is there`);
      if (name === "modem") rmSync(at("modem"));
      unplug("ttyUSB0");
      expect(where.missing(where.find())).toBe(`${at(name)} is gone; waiting for it`);
    }
    // The link leads elsewhere, or nowhere. Another port is not taken for the device.
    const where = new Whereabouts(thisMachine, at("modem"), { dev, sys });
    plug("ttyUSB0");
    symlinkSync("ttyUSB0", at("modem"));
    expect(where.opened(where.find(), true)).toBe(`${at("modem")} is there`);
    rmSync(at("modem"));
    expect(where.find()).toMatchObject({ there: false });
  });

  test("a port that is no USB adapter is waited for by its name", () => {
    expect(Bun.spawnSync(["mknod", at("ttyS1"), "c", "1", "3"]).exitCode).toBe(0);
    const where = new Whereabouts(thisMachine, at("ttyS1"), { dev, sys });
    rmSync(at("ttyS1"));
    plug("ttyUSB0");
    expect(where.find()).toEqual({ path: at("ttyS1"), real: at("ttyS1"), there: false });
  });
});
