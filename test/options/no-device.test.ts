// pty, notty, socket and socket-listen: lines without a device, and the options that fit them.

import { expect, test } from "bun:test";
import type { Config } from "../../src/options/config.ts";
import { OptionError } from "../../src/options/error.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function checked(...words: string[]): Config {
  const host = fakeHost();
  return checkOptions(parseOptions(words, host), host);
}

function refusal(...words: string[]): readonly [code: number, ...lines: string[]] {
  try {
    checked(...words);
  } catch (error) {
    if (error instanceof OptionError) return [error.code, ...error.lines];
    throw error;
  }
  return [0];
}

test("none of them has a device, a lock or modem lines; only notty stays in the foreground, and keeps its mouth shut", () => {
  const line = { device: undefined, lock: false, modem: false };
  for (const words of [
    ["pty", "cat"],
    ["socket", "a:1"],
    ["socket-listen", "localhost:1"],
  ])
    expect(checked(...words, "lock")).toMatchObject({ ...line, defaultDevice: false, detach: "detach", logfd: 1 });
  expect(checked("notty", "lock")).toMatchObject({ ...line, detach: "nodetach", logfd: undefined });
  expect(checked("notty", "logfd", "2").logfd).toBe(2);
});

test("who listens on TCP wants auth, unless only this machine can call", () => {
  for (const more of [[], ["noauth"], ["noauth", "autodetect"]]) {
    for (const where of ["127.0.0.1:5000", "[::1]:5000", "localhost:5000"])
      expect(checked(...more, "socket-listen", where).socketListen).toBe(where);
    for (const where of ["5000", "10.0.0.1:5000", "127.example.org:5000", "[::]:5000"])
      expect(refusal(...more, "socket-listen", where)).toEqual([
        2,
        `socket-listen ${where} needs auth: anybody who reaches this address could join the network`,
        "Give auth, with a line for the caller in pap-secrets or chap-secrets; or listen on this machine only: 127.0.0.1:5000",
      ]);
  }
  expect(refusal("auth", "login", "+pap", "socket-listen", "5000")).toEqual([0]);
  expect(refusal("noauth", "autodetect", "demand", "connect", "x", "pty", "cat")).toEqual([
    2,
    "demand-dialling is incompatible with autodetect",
  ]);
});

test("autodetect's list is a word of callers after it, in files as on the command line; other words are options", () => {
  const listed = (...words: string[]): readonly string[] => checked("pty", "cat", ...words).autodetect;
  expect(listed()).toEqual([]);
  expect(listed("autodetect", "local")).toEqual(["ppp", "windows", "modem"]);
  expect(listed("autodetect")).toEqual(["ppp", "windows", "modem"]);
  expect(listed("autodetect", "modem,ppp", "local")).toEqual(["modem", "ppp"]);
  expect(listed("autodetect", "ppp", "modem")).toEqual(["ppp"]);
  expect(listed("autodetect", "login")).toEqual(["ppp", "windows", "modem"]);
  expect(listed("autodetect", "modem,login")).toEqual(["modem", "login"]);
  expect(listed("autodetect", "ppp,cslip")).toEqual(["ppp", "cslip"]);
  expect(listed("autodetect", "slip")).toEqual(["slip"]);
  expect(checked("pty", "cat", "slip", "cslip").slip).toBe("cslip");
  expect(checked("pty", "cat", "local").slip).toBeUndefined();
  const files = { "/etc/ppp/options": "autodetect\nmodem,windows\nlocal\nautodetect\n# modem\nlocal\n" };
  const host = fakeHost({ files });
  expect(parseOptions(["pty", "cat"], host).autodetect).toEqual(["ppp", "windows", "modem"]);
  const listing = fakeHost({ files: { "/etc/ppp/options": "local autodetect ppp" } });
  expect(parseOptions(["pty", "cat"], listing).autodetect).toEqual(["ppp"]);
});

test("autodetect-getty needs a serial port, autodetect, and no login prompts", () => {
  const getty = ["autodetect-getty", "agetty -"];
  expect(refusal("ttyS0", "autodetect", ...getty)).toEqual([0]);
  expect(refusal("ttyS0", ...getty)).toEqual([2, "autodetect-getty needs autodetect"]);
  expect(refusal("ttyS0", "autodetect", "ppp,login", ...getty)[0]).toBe(2);
  expect(refusal("pty", "x", "autodetect", ...getty)).toEqual([
    2,
    "autodetect-getty needs a serial port, and pty has none",
  ]);
});

test("one of them at a time, and no device beside it", () => {
  expect(refusal("ttyS0", "socket-listen", "1")).toEqual([2, "socket-listen option precludes specifying device name"]);
  expect(refusal("pty", "x", "notty")).toEqual([2, "pty option is incompatible with notty option"]);
  expect(refusal("pty", "x", "socket", "a:1")).toEqual([2, "socket option is incompatible with pty and notty"]);
  for (const other of [["pty", "x"], ["notty"], ["socket", "a:1"]])
    expect(refusal("socket-listen", "1", ...other)).toEqual([
      2,
      "socket-listen option is incompatible with pty, notty and socket",
    ]);
});

test("who waits for calls makes none on demand", () => {
  expect(refusal("demand", "socket-listen", "1")).toEqual([2, "demand-dialling is incompatible with socket-listen"]);
  expect(refusal("demand", "notty")).toEqual([2, "demand-dialling is incompatible with notty"]);
});

test("socket-listen wants a port", () => {
  expect(checked("socket-listen", "[::1]:5000").socketListen).toBe("[::1]:5000");
  for (const word of ["localhost", "0", "::1:5000"])
    expect(refusal("socket-listen", word)).toEqual([
      2,
      `socket-listen takes a port, or an address and a port (10.0.0.1:5000), not '${word}'`,
    ]);
});

test("a port that is not plugged in yet is waited for with persist, wherever that is said, and else an unknown word", () => {
  for (const words of [
    ["/dev/ttyUSB0", "persist"],
    ["persist", "ttyUSB0"],
    ["/dev/serial/by-id/usb-A-if00", "115200", "persist", "maxfail", "0"],
  ]) {
    const path = words.find((word) => word.includes("/")) ?? "/dev/ttyUSB0";
    expect(checked(...words)).toMatchObject({ device: path, defaultDevice: false, persist: true });
  }
  expect(checked("/dev/ttyUSB0", "demand", "connect", "x").device).toBe("/dev/ttyUSB0");
  const unknown: [number, string] = [2, "unrecognized option '/dev/ttyUSB0'"];
  expect(refusal("/dev/ttyUSB0", "noauth")).toEqual(unknown);
  // The first error is reported.
  expect(refusal("/dev/ttyUSB0", "nosuch")).toEqual(unknown);
  expect(refusal("/dev/ttyUSB0", "persist", "nosuch")).toEqual([2, "unrecognized option 'nosuch'"]);
  expect(refusal("/dev/ttyUSB0", "persist", "nopersist")).toEqual(unknown);
  expect(refusal("/dev/ttyUSB0", "demand", "nopersist", "connect", "x")).toEqual(unknown);
  expect(refusal("persist", "USB0")).toEqual([2, "unrecognized option 'USB0'"]);
  expect(refusal("persist", "/etc/passwd")).toEqual([2, "unrecognized option '/etc/passwd'"]);
});

test("persist counts from any file, the port's own as well, and a port may stand in a file", () => {
  const parse = (files: Record<string, string>, ...words: string[]) => parseOptions(words, fakeHost({ files }));
  expect(parse({ "/etc/ppp/options": "persist\n" }, "/dev/ttyUSB0").device).toBe("/dev/ttyUSB0");
  const own = { "/etc/ppp/options.ttyUSB0": "persist 57600\n" };
  expect(parse(own, "ttyUSB0")).toMatchObject({ device: "/dev/ttyUSB0", speed: 57600 });
  expect(parse({ "/etc/ppp/options": "/dev/ttyUSB0 persist\n" }).device).toBe("/dev/ttyUSB0");
  expect(() => parse({ "/etc/ppp/options": "/dev/ttyUSB0\n" })).toThrow(
    "In file /etc/ppp/options: unrecognized option '/dev/ttyUSB0'",
  );
});

test("sync is refused with the reason, but for a dry run", () => {
  const [code, says] = refusal("ttyS0", "sync");
  expect([code, says]).toEqual([2, expect.stringContaining("the sync option needs a synchronous port")]);
  expect(refusal("ttyS0", "sync", "dryrun")).toEqual([0]);
});
