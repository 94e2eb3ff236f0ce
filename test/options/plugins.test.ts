// The plugins of pppd's package: those that are built in, and that their options are unknown without them.

import { describe, expect, test } from "bun:test";
import { dumpLines } from "../../src/options/dump.ts";
import { OptionError } from "../../src/options/error.ts";
import { checkOptions } from "../../src/options/check.ts";
import { parseOptions } from "../../src/options/parse.ts";
import { type FakeHost, fakeHost } from "../kit/optionhost.ts";

function parse(words: string, host: FakeHost = fakeHost()) {
  return checkOptions(parseOptions(["ttyS0", ...words.split(" ")], host), host);
}

function problem(words: string, host?: FakeHost): OptionError {
  try {
    parse(words, host);
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error(`nothing wrong with ${words}`);
}

describe("plugin", () => {
  test("loads what is built in, by any path, and says so as pppd does", () => {
    const host = fakeHost();
    const config = parse("plugin passwordfd.so passwordfd 3 plugin /usr/lib/pppd/2.5.2/minconn.so minconnect 7s", host);
    expect(config).toMatchObject({ plugins: ["passwordfd.so", "minconn.so"], passwordfd: 3, minconnect: 7 });
    expect(host.logged).toEqual([
      "Plugin passwordfd.so loaded.",
      "Plugin /usr/lib/pppd/2.5.2/minconn.so loaded.",
      "plugin_init",
    ]);
    expect(dumpLines(config).slice(1)).toEqual([
      "plugin passwordfd.so\t\t# (from command line)",
      "plugin /usr/lib/pppd/2.5.2/minconn.so\t\t# (from command line)",
      "minconnect 7\t\t# (from command line)",
      "passwordfd 3\t\t# (from command line)",
      "/dev/ttyS0\t\t# (from command line)",
    ]);
  });

  test("all words that NetworkManager has for a modem are options", () => {
    const refusals = ["eap", "pap", "chap", "mschap", "mschap-v2"].map((method) => `refuse-${method}`).join(" ");
    const words =
      "nodetach lock nodefaultroute ipv6 , debug user zaphod ttyS0 noipdefault 115200 noauth " +
      `${refusals} nobsdcomp novj nodeflate require-mppe require-mppe-128 mppe-stateful crtscts usepeerdns mru 1400 mtu 1400 ` +
      "lcp-echo-failure 5 lcp-echo-interval 30 idle 0 ipparam /org/freedesktop/NetworkManager/PPP/3 " +
      "plugin /usr/lib/pppd/2.4.9/nm-pppd-plugin.so unit 3";
    const config = parseOptions(words.split(" "), fakeHost());
    expect(config).toMatchObject({
      device: "/dev/ttyS0",
      speed: 115200,
      unit: 3,
      usepeerdns: true,
      nodefaultroute: true,
    });
  });

  test("NetworkManager's plugin is built in, wherever its file would be", () => {
    const path = "/usr/lib/pppd/2.4.9/nm-pppd-plugin.so";
    expect(parse(`ipparam /org/x plugin ${path}`)).toMatchObject({ plugins: ["nm-pppd-plugin.so"], ipparam: "/org/x" });
  });

  test("an option of a plugin that is not loaded is unknown", () => {
    for (const word of ["passwordfd 3", "minconnect 3", "promptprog /bin/x", "ntlm_auth-helper /bin/x"]) {
      const { lines, usage } = problem(word);
      expect(lines).toEqual([`unrecognized option '${word.split(" ")[0]}'`]);
      expect(usage).toBe(true);
    }
    expect(problem("passwordfd 3 plugin passwordfd.so").code).toBe(2);
  });

  test("one that is nowhere fails as in pppd", () => {
    for (const [word, path] of [
      ["frob.so", "/usr/lib/pppd/2.4.9/frob.so"],
      ["passwordfd", "/usr/lib/pppd/2.4.9/passwordfd"],
      ["/tmp/frob.so", "/tmp/frob.so"],
      ["constructor", "/usr/lib/pppd/2.4.9/constructor"],
    ] as const) {
      const { lines, code } = problem(`plugin ${word}`);
      const reason = "cannot open shared object file: No such file or directory";
      expect(lines).toEqual([`${path}: ${reason}`, `Couldn't load plugin ${word}`]);
      expect(code).toBe(2);
    }
  });

  test("one of somebody else's is refused, whatever it holds", () => {
    expect(problem("plugin /dev/null").lines).toEqual([
      expect.stringMatching(/^\/dev\/null: this program has .* built in/),
      "Couldn't load plugin /dev/null",
    ]);
  });

  test("those that need the kernel's PPP are refused with the reason, and what to do instead", () => {
    for (const name of ["pppoatm.so", "pppol2tp.so", "openl2tp.so"]) {
      const { lines, code } = problem(`plugin ${name}`);
      expect(lines[0]).toMatch(/: hands a connection to the kernel's PPP/);
      expect(lines[1]).toBe(`Couldn't load plugin ${name}`);
      expect(code).toBe(2);
    }
    expect(problem("plugin pptp.so").hints.join()).toContain("pty 'pptp ");
  });

  test("a server whose peers RADIUS was to check does not start", () => {
    for (const name of ["radius.so", "radattr.so", "/usr/lib/pppd/2.4.9/radrealms.so"])
      expect(problem(`auth plugin ${name}`).lines[0]).toMatch(/RADIUS is not built in/);
  });
});

describe("winbind.so", () => {
  test("stands for secrets, once there is a helper to ask", () => {
    expect(parse("plugin winbind.so ntlm_auth-helper /bin/ntlm_auth auth").facts.authProtocols).toEqual([
      "eap",
      "mschap-v2",
      "mschap",
      "pap",
    ]);
    expect(problem("plugin winbind.so auth").code).toBe(1);
    const files = { "/etc/ppp/pap-secrets": '* * "" *\n', "/etc/ppp/chap-secrets": "* * x *\n" };
    expect(problem("plugin winbind.so auth require-pap", fakeHost({ files })).code).toBe(1);
  });

  test("wants its helper with a full path, and from root alone", () => {
    expect(problem("plugin winbind.so ntlm_auth-helper ntlm_auth").lines).toEqual([
      "ntlm_auth-helper argument must be full path",
    ]);
    const files = { "/etc/ppp/options": "plugin winbind.so" };
    const user = fakeHost({ user: true, files });
    expect(problem("ntlm_auth-helper /bin/x", user).lines).toEqual([
      "using the ntlm_auth-helper option requires root privilege",
    ]);
  });
});
