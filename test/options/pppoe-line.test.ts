// The options of pppd's plugin for PPPoE, and the line that they make.

import { expect, test } from "bun:test";
import { checkOptions } from "../../src/options/check.ts";
import { OptionError } from "../../src/options/error.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { fakeHost } from "../kit/optionhost.ts";

function hostWith(more: Record<string, string> = {}) {
  const hardwareAddress = (name: string): Uint8Array | undefined =>
    name === "eth0" || name === "lan" ? new Uint8Array(6) : name === "tun0" ? new Uint8Array(0) : undefined;
  return fakeHost({ files: more, changes: { hardwareAddress } });
}

function parse(words: string, host = hostWith()) {
  return checkOptions(parseOptions(words.split(" "), host), host);
}

function reason(words: string, more?: Record<string, string>): string {
  try {
    parse(words, hostWith(more));
  } catch (error) {
    if (error instanceof OptionError) return error.lines.join();
    throw error;
  }
  return "nothing wrong";
}

test("the interface is given by its name, or as NetworkManager gives it, and pppoe(8) has the session", () => {
  for (const words of [
    "plugin rp-pppoe.so nic-eth0",
    "plugin pppoe.so eth0",
    "plugin /usr/lib/pppd/2.4.9/rp-pppoe.so eth0",
  ]) {
    const config = parse(`${words} lock mtu 1500 noauth`);
    expect(config).toMatchObject({ pty: "exec /usr/sbin/pppoe -I eth0 -U", lock: false, mtu: 1492, mru: 1492 });
    // RFC 2516 §7, and what pppd's plugin leaves out besides.
    expect(config).toMatchObject({ noaccomp: true, nopcomp: true, defaultAsyncmap: true, novj: true });
    expect([config.deflate, config.bsdcomp]).toEqual(Array(2).fill({ receive: 0, transmit: 0 }));
  }
  expect(parse("plugin rp-pppoe.so lan mtu 1400 mru 1300")).toMatchObject({ mtu: 1400, mru: 1300 });
});

test("service, access concentrator and session go to pppoe(8), with either name of the option, and no shell reads them", () => {
  const words = ["plugin", "rp-pppoe.so", "eth0", "rp_pppoe_service", "isp's; reboot", "pppoe-ac", "ac 1"];
  expect(parseOptions(words, hostWith()).pty).toBe("exec /usr/sbin/pppoe -I eth0 -U -S 'isp'\\''s; reboot' -C 'ac 1'");
  expect(parse("plugin rp-pppoe.so eth0 rp_pppoe_sess 7:0a:00:27:00:00:01").pty).toEndWith(" -e 7:0a:00:27:00:00:01");
});

test("without pppoe(8) there is no line, and the error names the package", () => {
  const host = { ...hostWith(), findTool: () => undefined };
  try {
    parseOptions(["plugin", "rp-pppoe.so", "eth0"], host);
    throw new Error("there is a line");
  } catch (error) {
    expect(error).toMatchObject({ lines: ["rp-pppoe.so: the program pppoe is not installed"], code: 2 });
    expect(String((error as OptionError).hints)).toContain("apt-get install pppoe");
  }
});

test("what pppoe(8) cannot do is refused, or has no effect where nobody is worse off", () => {
  expect(reason("plugin rp-pppoe.so eth0 pppoe-mac 0a:00:27:00:00:01")).toContain("pppoe-mac");
  expect(reason("plugin rp-pppoe.so eth0 host-uniq 0a0b")).toContain("pppoe-host-uniq");
  expect(reason("plugin rp-pppoe.so eth0 pppoe-sess 7")).toBe("Illegal value for pppoe-sess option");
  const host = hostWith();
  parse("plugin rp-pppoe.so eth0 pppoe-verbose 1 pppoe-padi-timeout 10", host);
  expect(host.logged.filter((line) => line.includes("no effect")).length).toBe(2);
});

test("without the plugin, and for what is no Ethernet interface, the name is an unknown word", () => {
  for (const words of ["eth0", "nic-eth0", "plugin rp-pppoe.so tun0", "plugin rp-pppoe.so nic-eth9"])
    expect(reason(words)).toContain("unrecognized option");
  expect(reason("rp_pppoe_service isp")).toContain("unrecognized option");
  expect(reason("plugin rp-pppoe.so eth0 pty cat")).toBe("pty option precludes specifying device name");
  expect(reason("plugin rp-pppoe.so eth0 ttyS0")).toBe("pty option precludes specifying device name");
});

test("the interface has its own file of options, as a serial port has", () => {
  const more = { "/etc/ppp/options.eth0": "idle 77" };
  expect(parse("plugin rp-pppoe.so eth0", hostWith(more)).idle).toBe(77);
});
