import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../src/options/config.ts";
import type { AuthProtocol } from "../../src/options/facts.ts";
import { OptionError } from "../../src/options/error.ts";
import { parseIpv4 } from "../../src/options/numbers.ts";
import { checkOptions } from "../../src/options/check.ts";
import { usableSecret } from "../../src/options/check-auth.ts";
import { parseOptions, withPeerOptions } from "../../src/options/parse.ts";
import { OPTIONS } from "../../src/options/table.ts";
import { fakeHost, type FakeHost, type FakeOptions } from "../kit/optionhost.ts";
import { dryRun } from "../kit/optionrun.ts";

const words = (line: string): string[] => line.split(" ").filter((word) => word !== "");
const inBytes = (text: string): string => Buffer.from(text).toString("latin1");

function parse(line: string | readonly string[], options: FakeOptions = {}): Config & { host: FakeHost } {
  const host = fakeHost(options);
  const config = parseOptions(typeof line === "string" ? words(line) : line, host);
  return { ...config, host };
}

function checked(line: string | readonly string[], options: FakeOptions = {}): Config {
  const host = fakeHost(options);
  return checkOptions(parseOptions(typeof line === "string" ? words(line) : line, host), host);
}

function errorOf(act: () => unknown): OptionError {
  try {
    act();
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error("no OptionError");
}

const inFile = (text: string): FakeOptions => ({ files: { "/etc/ppp/options": text } });

describe("what the HOWTO's readers type", () => {
  test("a command in curly quotes, in a file and from a shell that knows none; a warning says so", () => {
    const files: [string, string][] = [
      ["connect \u201c/usr/sbin/chat -v -f x\u201d lock\nidle 5", "/usr/sbin/chat -v -f x"],
      ["connect \u201d/usr/sbin/chat # -v\u201d\nlock idle 5", "/usr/sbin/chat # -v"],
      ["connect \u2018chat '' \u201eAT\u201c\u2019\r\nlock idle 5", "chat '' \u201eAT\u201c"],
      ["connect \u201ctrue\u201d lock idle 5", "true"],
    ];
    for (const [text, command] of files) {
      const config = parse("ttyS0", inFile(inBytes(text)));
      expect(config).toMatchObject({ connect: command, lock: true, idle: 5 });
      const source = "/etc/ppp/options";
      expect(config.host.logged).toEqual([
        `the curly quotes around the connect command are taken as quotes (from ${source})`,
      ]);
    }
    const typed = parse("ttyS0 connect \u201cchat -v \u2013f x\u201d lock idle 5");
    expect(typed).toMatchObject({ connect: "chat -v -f x", lock: true, idle: 5 });
    expect(typed.host.logged).toHaveLength(1);
    const whole = parse(["ttyS0", "connect", "\u201cchat -f x\u201d", "lock"]);
    expect(whole).toMatchObject({ connect: "chat -f x", lock: true });
  });

  test("curly quotes inside a command, or that never close, are left alone", () => {
    for (const text of ["connect 'echo \u201ca b\u201d'", "connect \u201cchat\nidle 5\u201d"])
      expect(() => parse("ttyS0", inFile(inBytes(text))).host.logged).not.toThrow(TypeError);
    expect(parse("ttyS0", inFile(inBytes("connect 'echo \u201ca b\u201d'"))).connect).toBe("echo \u201ca b\u201d");
    expect(parse("ttyS0", inFile(inBytes("connect \u201cchat\nidle 5"))).connect).toBe("\u201cchat");
  });

  test("a byte order mark before the options and the secrets is skipped", () => {
    const mark = "\u00ef\u00bb\u00bf";
    const files = {
      "/etc/ppp/options": `${mark}idle 5 call kit`,
      "/etc/ppp/peers/kit": `${mark}# kit\nauth`,
      "/etc/ppp/pap-secrets": `${mark}* * x *\n`,
    };
    expect(checked("ttyS0", { files })).toMatchObject({ idle: 5, auth: "auth" });
  });

  test("a misspelt option is followed by what may have been meant", () => {
    const hints = (line: string, options: FakeOptions = {}): unknown => errorOf(() => parse(line, options)).hints;
    const rows: [string, string][] = [
      ["crtsct", "crtscts"],
      ["locl", "local"],
      ["noath", "noauth"],
      ["tyS0", "ttyS0"],
      ["LOCK", "lock"],
      ["requirepap", "require-pap"],
      ["share=lo", "share=loopback"],
      ["\u2212dettach", "-detach"],
    ];
    for (const [word, name] of rows) {
      expect([word, hints(`ttyS0 ${word}`)]).toEqual([word, [`Did you mean ${name}?`]]);
      expect(hints("ttyS0", inFile(inBytes(`lock ${word}`)))).toEqual([`Did you mean ${name}?`]);
    }
    expect(hints("ttyS0 frobnicate")).toEqual([]);
    expect(hints("ttyS0 minconect")).toEqual([]);
    expect(hints("ttyS0 plugin minconn.so minconect 3")).toEqual(["Did you mean minconnect?"]);
  });

  test("a command without quotes runs to the end of its line", () => {
    const { connect, lock, host } = parse(
      "ttyS0",
      inFile("connect chat -v -f /etc/ppp/scripts/winserver.chat # x\nlock\n"),
    );
    expect(connect).toBe("chat -v -f /etc/ppp/scripts/winserver.chat");
    expect(lock).toBe(true);
    expect(host.logged).toEqual([]);
  });

  test("the quotes of such a command are kept, because a shell reads it", () => {
    expect(parse("ttyS0", inFile(`disconnect chat -v "" '+++ ATH0' OK`)).disconnect).toBe(`chat -v "" '+++ ATH0' OK`);
  });

  test("words that pppd reads as options after a command are options for us too", () => {
    const { connect, detach, speed } = parse("ttyS0", inFile("connect /bin/dial -detach 115200\n"));
    expect([connect, detach, speed]).toEqual(["/bin/dial", "nodetach", 115200]);
    const quoted = parse("ttyS0", inFile("connect 'chat -v' -detach\n"));
    expect([quoted.connect, quoted.detach]).toEqual(["chat -v", "nodetach"]);
    expect(parse("ttyS0", inFile("connect chat\n-detach\n")).connect).toBe("chat");
  });

  test("an option without its argument there belongs to the command", () => {
    expect(parse("ttyS0", inFile("welcome say -d idle\n")).welcome).toBe("say -d idle");
  });

  test("on the command line a command needs its quotes", () => {
    expect(errorOf(() => parse("ttyS0 connect chat -f x")).lines).toEqual(["unrecognized option '-f'"]);
  });

  test("minus signs and dashes of the PDF are hyphens", () => {
    const { detach, refuseChap, requirePap } = parse("/dev/ttyS0 −detach –chap +pap");
    expect([detach, refuseChap, requirePap]).toEqual(["nodetach", true, true]);
    const file = parse("ttyS0", inFile(inBytes("−chap\nlcp−echo−interval 5\nconnect 'chat −v −f /x−y'\n")));
    expect([file.refuseChap, file.lcpEchoInterval, file.connect]).toEqual([true, 5, "chat -v -f /x−y"]);
    expect(parse("ttyS0", inFile(inBytes("connect chat −v −f /x\n"))).connect).toBe("chat -v -f /x");
  });

  test("a device that is not there: pppd's line, usage, and what there is", () => {
    const error = errorOf(() => parse("/dev/ttyUSB9 115200"));
    expect([error.lines, error.usage, error.code]).toEqual([["unrecognized option '/dev/ttyUSB9'"], true, 2]);
    expect(error.hints).toEqual([
      "/dev/ttyUSB9: no such device",
      "Serial ports here:",
      "    /dev/ttyS0",
      "    /dev/ttyS1",
    ]);
    expect(errorOf(() => parse("ttyUSB9")).hints[0]).toBe("/dev/ttyUSB9: no such device");
    expect(errorOf(() => parse("/dev")).hints).toEqual([]);
    const none = errorOf(() => parse("/dev/ttyUSB9", { changes: { serialPorts: () => [] } }));
    expect(none.hints).toEqual(["/dev/ttyUSB9: no such device", "No serial ports here"]);
    expect(errorOf(() => parse("", inFile("/dev/ttyUSB9"))).hints[0]).toBe("/dev/ttyUSB9: no such device");
  });

  test("spellings of pppd 2.3", () => {
    const line =
      "ttyS0 -d -detach -am -mn -mru -pc -ac -p -vj -vjccomp -crtscts -proxyarp -pap -chap -ip-protocol -ipx";
    const config = parse(line);
    expect(config).toMatchObject({
      debug: 1,
      detach: "nodetach",
      asyncmap: 0xffffffff,
      defaultAsyncmap: true,
      nomagic: true,
      defaultMru: true,
      nopcomp: true,
      noaccomp: true,
      passive: true,
      novj: true,
      novjccomp: true,
      crtscts: "off",
      noproxyarp: true,
      refusePap: true,
      refuseChap: true,
      noip: true,
    } satisfies Partial<Config>);
  });
});

test("-all takes back what was asked of LCP before it", () => {
  const before = "mpshortseq passive silent asyncmap a0000";
  expect(parse(`ttyS0 ${before}`)).toMatchObject({ mpshortseq: true, passive: true, silent: true, asyncmap: 0xa0000 });
  const after = { mpshortseq: false, passive: false, silent: false, asyncmap: 0, noOptions: true };
  expect(parse(`ttyS0 ${before} -all`)).toMatchObject(after);
  expect(parse("ttyS0 -all passive")).toMatchObject({ ...after, passive: true });
});

describe("options of 2.5", () => {
  // 2.4.9 does not have it, and the recorded cases come from 2.4.9.
  const cases: readonly (readonly [string, Partial<Config>])[] = [
    [
      "net-init-script /a net-pre-up-script /b net-down-script /c",
      { netInitScript: "/a", netPreUpScript: "/b", netDownScript: "/c" },
    ],
    ["auth-up-script /a auth-down-script /b", { authUpScript: "/a", authDownScript: "/b" }],
    [
      "ip-pre-up-script /a ipv6-up-script /b ipv6-down-script /c",
      { ipPreUpScript: "/a", ipv6UpScript: "/b", ipv6DownScript: "/c" },
    ],
    ["pap-secrets /p chap-secrets /c", { papSecrets: "/p", chapSecrets: "/c" }],
    ["usepeerwins noresolvconf", { usepeerwins: true, noresolvconf: true }],
    [
      "ipv6cp-noremote ipv6cp-nosend ipv6cp-use-remotenumber",
      { ipv6cpNoremote: true, ipv6cpNosend: true, ipv6cpUseRemotenumber: true },
    ],
    ["defaultroute6-metric 5", { defaultroute6Metric: 5 }],
    ["lcp-rtt-file /r vrf red", { lcpRttFile: "/r", vrf: "red" }],
    [
      "pkcs12 /p tls-verify-key-usage tls-verify-method name",
      { pkcs12: "/p", tlsVerifyKeyUsage: true, tlsVerifyMethod: "name" },
    ],
    ["mschap-challenge ab mschap2-peer-challenge cd", { mschapChallenge: "ab", mschap2PeerChallenge: "cd" }],
    ["show-options", { showOptions: true }],
  ];
  for (const [line, expected] of cases) {
    test(line, () => expect(parse(`ttyS0 ${line}`)).toMatchObject(expected));
  }

  test("only root may give their scripts", () => {
    for (const word of ["net-init-script", "auth-up-script", "pap-secrets", "ipv6-up-script", "vrf", "lcp-rtt-file"]) {
      const user = { ...inFile(""), user: true };
      expect(errorOf(() => parse(`ttyS0 ${word} /x`, user)).lines).toEqual([
        `using the ${word} option requires root privilege`,
      ]);
    }
  });

  test("show-options needs no device", () => {
    expect(parse("show-options").showOptions).toBe(true);
  });
});

test("options without effect take their arguments and nothing else", () => {
  const taking = ["ipx-network", "ipxcp-restart", "srp-interval", "srp-pn-secret", "pdebug"];
  const line = [...taking.map((name) => `${name} 5`), "ipx", "+ipx", "ipxcp-accept-local", "srp-use-pseudonym", "lock"];
  expect(parse(["ttyS0", ...words(line.join(" "))]).lock).toBe(true);
});

test("options whose time is over say so", () => {
  expect(parse("ttyS0 ipx-network ab srp-interval 5").host.logged).toEqual([
    "the ipx-network option has no effect any more",
    "the srp-interval option has no effect any more",
  ]);
});

describe("the words of a secrets file", () => {
  const host = fakeHost();
  test("override all others", () => {
    const own = parseOptions(words("ttyS0 idle 5 lcp-echo-interval 3 10.0.0.1:10.0.0.2"), host);
    const { config, trouble } = withPeerOptions(own, ["idle", "7", ":10.0.0.9"], host);
    expect([trouble, own.idle, own.given["idle"]?.source]).toEqual([undefined, 5, "command line"]);
    expect([config.idle, config.peerAddress, config.ourAddress]).toEqual([
      7,
      parseIpv4("10.0.0.9"),
      parseIpv4("10.0.0.1"),
    ]);
    expect(config.given["idle"]?.source).toBe("secrets file");
  });

  test("errors in them", () => {
    const config = parseOptions(["ttyS0"], host);
    const trouble = (...list: string[]) => withPeerOptions(config, list, host).trouble;
    expect(trouble("frob")).toBe("In secrets file: unrecognized option 'frob'");
    expect(trouble("idle")).toBe("In secrets file: too few parameters for option 'idle'");
    expect(trouble("demand")).toBe("demand option cannot be changed after initialization");
    expect(trouble("defaultroute-metric", "3")).toBe(
      "defaultroute-metric option cannot be changed after initialization",
    );
    expect(trouble("ttyS1")).toBe("device name cannot be changed after initialization");
    // The words before it count.
    expect(withPeerOptions(config, ["idle", "7", "frob"], host).config.idle).toBe(7);
  });
});

describe("the device", () => {
  const tty = { tty: "/dev/ttyS1", device: 4, readWrite: true };

  test("is that of standard input when none is named", () => {
    const config = checked("lock", { changes: { stdin: tty } });
    expect(config).toMatchObject({
      device: "/dev/ttyS1",
      defaultDevice: true,
      devicePrivileged: true,
      detach: "nodetach",
    });
  });

  test("counts as that of standard input when it is the same", () => {
    const config = checked("/dev/ttyS1 updetach", { changes: { stdin: tty } });
    expect(config).toMatchObject({
      device: "/dev/ttyS1",
      defaultDevice: true,
      devicePrivileged: true,
      detach: "nodetach",
    });
    expect(checked("/dev/ttyS0 updetach", { changes: { stdin: tty } })).toMatchObject({
      defaultDevice: false,
      detach: "updetach",
    });
  });

  test("its options file is named for the part after /dev/", () => {
    const files = {
      "/etc/ppp/options.pts.3": "idle 1",
      "/etc/ppp/options.ttyS1": "idle 2",
      "/etc/ppp/options.tty": "idle 3",
    };
    expect(parse("", { files, changes: { stdin: { ...tty, tty: "/dev/pts/3" } } }).idle).toBe(1);
    expect(parse("/dev/ttyS1", { files }).idle).toBe(2);
    expect(parse("/dev/tty", { files }).idle).toBe(0);
  });

  test("is opened as root when root named it", () => {
    expect(parse("ttyS0").devicePrivileged).toBe(true);
    expect(parse("ttyS0", { ...inFile(""), user: true }).devicePrivileged).toBe(false);
    expect(parse("", { ...inFile("ttyS0"), user: true }).devicePrivileged).toBe(true);
  });

  test("never gets the log", () => {
    expect(checked("ttyS0", { changes: { deviceOfFd: (fd) => (fd === 1 ? 3 : undefined) } }).logfd).toBeUndefined();
    expect(checked("ttyS0", { changes: { deviceOfFd: () => 99 } }).logfd).toBe(1);
    expect(checked("notty").logfd).toBeUndefined();
  });
});

test("the empty word removes a name that pppd keeps in a buffer", () => {
  const names = ["ifname", "linkname", "remotenumber", "vrf"];
  const given = parse(["ttyS0", ...names.flatMap((name) => [name, "x"])]);
  expect(given).toMatchObject(Object.fromEntries(names.map((name) => [name, "x"])));
  const taken = parse(["ttyS0", ...names.flatMap((name) => [name, "x", name, ""])]);
  for (const name of names) expect([name, taken[name as "ifname"]]).toEqual([name, undefined]);
});

test("numbers out of range are moved to the nearest limit, with a warning", () => {
  const { host, ...config } = parse(
    "ttyS0 lcp-restart 0 lcp-echo-interval -1 pap-timeout -5 datarate -1 mru 3 mrru 70000",
  );
  expect(config).toMatchObject({
    lcpRestart: 1,
    lcpEchoInterval: 0,
    papTimeout: 0,
    datarate: 0,
    mru: 128,
    mrru: 65535,
  });
  expect(host.logged).toEqual([
    "lcp-restart value 0 is below 1: using 1",
    "lcp-echo-interval value -1 is below 0: using 0",
    "pap-timeout value -5 is below 0: using 0",
    "datarate value -1 is below 0: using 0",
    "mru value 3 is not between 128 and 16384: using 128",
    "mrru value 70000 is not between 128 and 65535: using 65535",
  ]);
  expect(parse("ttyS0 idle 5").host.logged).toEqual([]);
});

test("a speed that no UART has is refused", () => {
  for (const word of ["12345678901", "4294967295", "0xffffffff"])
    expect(errorOf(() => parse(`ttyS0 ${word}`)).lines).toEqual([`speed ${word} not supported`]);
  for (const speed of [31_250_000, 200_000_000]) expect(parse(`ttyS0 ${speed}`).speed).toBe(speed);
});

describe("what follows from the options", () => {
  test("holdoff: 30 with a connect script, even an empty one, and 0 without", () => {
    expect(checked("ttyS0").holdoff).toBe(0);
    expect(checked(["ttyS0", "connect", ""]).holdoff).toBe(30);
    expect(checked("ttyS0 connect x holdoff 4").holdoff).toBe(4);
    expect(checked("ttyS0 holdoff 4").holdoff).toBe(4);
  });

  test("our address is that of the host unless one is given, and the peer may change it", () => {
    const named = { hostname: "arthur" };
    expect(checked("ttyS0", named)).toMatchObject({
      ourAddress: parseIpv4("10.0.0.9"),
      ourAddressFrom: "hostname",
      acceptLocal: true,
      acceptRemote: true,
    });
    expect(checked("ttyS0 10.0.0.1:10.0.0.2", named)).toMatchObject({
      ourAddress: parseIpv4("10.0.0.1"),
      ourAddressFrom: "given",
      acceptLocal: false,
      acceptRemote: false,
    });
    expect(checked("ttyS0 noipdefault", named)).toMatchObject({ ourAddress: undefined, ourAddressFrom: "none" });
    expect(checked("ttyS0", { hostname: "localhost" }).ourAddress).toBeUndefined();
    expect(checked("ttyS0 10.0.0.1: ipcp-accept-local", named).acceptLocal).toBe(true);
  });

  test("our names", () => {
    const name = (line: string): [string, string] => {
      const config = checked(line, { hostname: "peer" });
      return [config.name, config.user];
    };
    expect(name("ttyS0")).toEqual(["peer", "peer"]);
    expect(name("ttyS0 domain example.org")).toEqual(["peer.example.org", "peer.example.org"]);
    expect(name("ttyS0 name zaphod")).toEqual(["zaphod", "zaphod"]);
    expect(name("ttyS0 name zaphod user ford")).toEqual(["zaphod", "ford"]);
    expect(name("ttyS0 name zaphod usehostname")).toEqual(["peer", "peer"]);
  });

  test("names and passwords keep their bytes", () => {
    const config = checked(["ttyS0", "user", "zaphöd", "password", "pä"]);
    expect([config.user, config.password]).toEqual([inBytes("zaphöd"), inBytes("pä")]);
    expect(parse("ttyS0", inFile("password a\\xe9\\xffb")).password).toBe("a\u00e9\u00ffb");
    expect(parse(["ttyS0", "ipparam", "zaphöd"]).ipparam).toBe("zaphöd");
    // Only commands are pasted from the HOWTO with dashes for hyphens.
    expect(parse(["ttyS0", "ipparam", "x−y"]).ipparam).toBe("x−y");
  });

  test("names and passwords end after 255 octets, as in pppd", () => {
    const long = "x".repeat(300);
    const file = { files: { "/tmp/ua": `${long}\n${long}\n` } };
    const given = parse(["ttyS0", ...["name", "user", "password", "remotename"].flatMap((name) => [name, long])]);
    const read = parse("ttyS0 +ua /tmp/ua", file);
    const fields = [given.name, given.user, given.password, given.remotename, read.user, read.password];
    expect(fields.map((field) => field?.length)).toEqual([255, 255, 255, 255, 255, 255]);
  });

  test("a file of user name and password that others can read is a warning", () => {
    const warnings = (mode: number): readonly string[] =>
      parse("ttyS0 +ua /tmp/ua", {
        changes: {
          readFile: (path) =>
            path === "/tmp/ua" ? { text: "me\nsecret", uid: 0, mode } : { errno: "ENOENT", reason: "" },
        },
      }).host.logged;
    const warning = "Warning - secret file /tmp/ua has world and/or group access";
    expect([warnings(0o600), warnings(0o640), warnings(0o604)]).toEqual([[], [warning], [warning]]);
  });

  test("the host name with its domain, with one dot between them", () => {
    const names = ["example.org", ".example.org", ""].map(
      (domain) => parse(["ttyS0", "domain", domain]).facts.hostname,
    );
    expect(names).toEqual(["peer.example.org", "peer.example.org", "peer"]);
  });

  test("an interface identifier ends in octets of at most 255", () => {
    expect(parse("ttyS0 ipv6 ::1.2.3.255").ipv6Local).toBe(0x010203ffn);
    expect(errorOf(() => parse("ttyS0 ipv6 ::1.2.3.256")).lines[0]).toContain("Illegal interface identifier");
  });

  test("the largest code size of BSD-Compress and Deflate is 15", () => {
    for (const name of ["bsdcomp", "deflate"] as const) {
      expect(parse(`ttyS0 ${name} 15`)[name]).toEqual({ receive: 15, transmit: 15 });
      expect(() => parse(`ttyS0 ${name} 16`)).toThrow(OptionError);
      expect(() => parse(`ttyS0 ${name} 15,16`)).toThrow(OptionError);
    }
  });

  test("of addresses with equal priority the last one counts", () => {
    expect(parse("ttyS0 10.0.0.1:10.0.0.2 10.0.0.3: :10.0.0.4")).toMatchObject({
      ourAddress: parseIpv4("10.0.0.3"),
      peerAddress: parseIpv4("10.0.0.4"),
    });
  });

  test("a peer's host name is its name for the secrets", () => {
    expect(parse("ttyS0 :arthur")).toMatchObject({ remotename: "arthur", remotenameGiven: false });
    expect(parse("ttyS0 :10.0.0.9").remotename).toBe("");
    expect(parse("ttyS0 remotename ford :arthur")).toMatchObject({ remotename: "ford", remotenameGiven: true });
  });

  test("the methods that the peer is asked for", () => {
    const secrets = { files: { "/etc/ppp/pap-secrets": "* * x *", "/etc/ppp/chap-secrets": "* * x *" } };
    const asked = (line: string): readonly string[] => checked(`ttyS0 ${line}`, secrets).facts.authProtocols;
    expect(asked("")).toEqual([]);
    expect(asked("require-pap noauth")).toEqual([]);
    expect(asked("auth")).toEqual(["eap", "chap-md5", "mschap-v2", "mschap", "pap"]);
    expect(asked("require-pap")).toEqual(["pap"]);
    expect(asked("noauth require-mschap-v2 +pap")).toEqual(["mschap-v2", "pap"]);
  });

  test("a usable secret", () => {
    const host = fakeHost({ files: { "/etc/ppp/pap-secrets": "a * x\n", "/etc/ppp/chap-secrets": "b * x *\n" } });
    const config = parseOptions(["ttyS0"], host);
    const usable = (...asks: AuthProtocol[]): string => usableSecret(config, asks, host);
    expect([usable("pap"), usable("chap-md5"), usable("eap", "pap"), usable()]).toEqual([
      "no address",
      "yes",
      "yes",
      "no",
    ]);
  });

  test("xonxoff: the peer must escape ^Q and ^S", () => {
    expect(parse("ttyS0 xonxoff")).toMatchObject({ crtscts: "xonxoff", asyncmap: 0x000a0000 });
  });

  test("each variable has the last value from the source with the highest priority", () => {
    const seen = (line: string, options?: FakeOptions): string[] =>
      parse(line, options).environment.map(({ name, value }) => `${name}=${value}`);
    expect(seen("ttyS0 set A=1 unset B set A=2=3")).toEqual(["A=2=3", "B=undefined"]);
    const files = { "/etc/ppp/options": "unset A set B=1" };
    expect(seen("ttyS0 set A=1 set B=2", { files })).toEqual(["A=1", "B=2"]);
    expect(seen("ttyS0 set A=1 set B=2", { files, user: true })).toEqual(["A=undefined", "B=1"]);
  });

  test("telephone numbers that may call", () => {
    const code = (line: string): number => dryRun(words(`ttyS0 dryrun ${line}`), fakeHost()).code;
    expect([code("allow-number 12*"), code("allow-number * remotenumber 5")]).toEqual([21, 0]);
    expect([code("allow-number 12* remotenumber 123"), code("allow-number 12 remotenumber 123")]).toEqual([0, 21]);
    expect(code("allow-number 9 allow-number ABC remotenumber abc")).toBe(0);
  });
});

describe("files", () => {
  test("a file that includes itself is an error", () => {
    const error = errorOf(() => parse("ttyS0 file /tmp/f", { files: { "/tmp/f": "file /tmp/f" } }));
    expect(error.lines).toEqual(["Can't open options file /tmp/f: Too many open files"]);
  });

  test("a user with CAP_NET_ADMIN may give the options of root, and has an options file of his own", () => {
    const files = { "/etc/ppp/options": "" };
    expect(errorOf(() => parse("ttyS0 noauth", { files, user: true })).lines).toEqual([
      expect.stringContaining("using the noauth option requires root privilege"),
    ]);
    const own = parse("ttyS0 noauth", {
      user: true,
      changes: {
        privileged: true,
        readFile: (path) =>
          path === "/home/zaphod/.ppprc"
            ? { text: "connect x", uid: 1005, mode: 0o600 }
            : { errno: "ENOENT", reason: "" },
      },
    });
    expect([own.auth, own.connect, own.facts.privileged]).toEqual(["noauth", "x", true]);
  });

  test("a file that gives the rights of root must belong to root", () => {
    const owned = (uid: number, mode: number): FakeOptions => ({
      user: true,
      changes: {
        readFile: (path) => (path.endsWith("kit") ? { text: "noauth", uid, mode } : { text: "", uid: 0, mode: 0o644 }),
      },
    });
    expect(parse("ttyS0 call kit", owned(0, 0o644)).auth).toBe("noauth");
    expect(errorOf(() => parse("ttyS0 call kit", owned(7, 0o644))).lines).toEqual([
      "Can't safely use /etc/ppp/peers/kit because it is not owned by root",
    ]);
    expect(errorOf(() => parse("ttyS0 call kit", owned(0, 0o664))).lines).toEqual([
      "Can't safely use /etc/ppp/peers/kit because it is group or other writable",
    ]);
    expect(parse("ttyS0 call kit", { ...owned(7, 0o666), user: false }).auth).toBe("noauth");
  });

  test("the name after call is kept for the scripts", () => {
    expect(parse("ttyS0 call kit", { files: { "/etc/ppp/peers/kit": "" } }).callFile).toBe("kit");
  });

  test("an optional file that cannot be read is a warning", () => {
    const denied: FakeOptions = {
      changes: { readFile: () => ({ errno: "EACCES", reason: "Permission denied" }) },
    };
    expect(parse("ttyS0", denied).host.logged).toEqual([
      "Warning: can't open options file /etc/ppp/options: Permission denied",
      "Warning: can't open options file /root/.ppprc: Permission denied",
      "Warning: can't open options file /etc/ppp/options.ttyS0: Permission denied",
    ]);
  });

  test("another folder of configuration files", () => {
    const files = { "/x/options": "idle 1", "/x/options.ttyS0": "mtu 500", "/x/peers/kit": "lock" };
    const config = parse("ttyS0 call kit", { files, changes: { etc: "/x" } });
    expect(config).toMatchObject({ idle: 1, mtu: 500, lock: true, papSecrets: "/x/pap-secrets" });
  });
});

/**
 * Every option of any pppd: its name, whether it has an argument, the version that introduced it ("-" when unknown),
 * and its plugin.
 */
const NAMES = join(import.meta.dir, "../../fixtures/options/names.tsv");
/** They are refused, and their options are unknown. */
const REFUSED_PLUGINS = ["pppol2tp", "pppoatm", "radius", "radrealms", "dhcpv6relay"];
test("every option any pppd ever had is known", () => {
  const rows = readFileSync(NAMES, "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .filter(([, , , plugin = ""]) => !REFUSED_PLUGINS.includes(plugin));
  const known = new Map(OPTIONS.entries.map(({ row }) => [row.name, row]));
  expect(rows.length).toBeGreaterThan(280);
  expect(rows.filter(([name = ""]) => !known.has(name))).toEqual([]);
  const wrong = rows.filter(
    ([name = "", argument]) => argument !== "-" && known.get(name)?.argument !== (argument === "yes"),
  );
  expect(wrong).toEqual([]);
});
