// Who may use which option: an ordinary user may use all of them if no rights are lent to him and packets go through sockets.

import { expect, test } from "bun:test";
import type { Config } from "../../src/options/config.ts";
import { OptionError, OptionExit } from "../../src/options/error.ts";
import { hostInForce, parseOptions } from "../../src/options/parse.ts";
import { PRIVILEGED } from "../../src/options/row.ts";
import { OPTIONS } from "../../src/options/table.ts";
import { fakeHost, type FakeOptions } from "../kit/optionhost.ts";

const ROOTS = { "/etc/ppp/options": "" };

/** An ordinary user whose process has his own rights only. */
function owner(files: FakeOptions["files"], changes: FakeOptions["changes"] = {}) {
  return fakeHost({ user: true, changes: { lendsRights: false, ...changes }, ...(files && { files }) });
}

/** The same user, who runs a set-user-id program. */
function borrower(files: FakeOptions["files"] = ROOTS) {
  return fakeHost({ user: true, ...(files && { files }) });
}

type Host = ReturnType<typeof fakeHost>;

function said(host: Host, ...words: readonly string[]): string {
  try {
    parseOptions(words, host);
    return "";
  } catch (error) {
    if (error instanceof OptionExit) return error.asked;
    if (!(error instanceof OptionError)) throw error;
    return error.lines.join("\n");
  }
}

const FREE = ["notty", "noauth", "connect", "exec chat", "share-allow", "10.0.0.0/8", "forward", "8080=80"];

test.each<[where: string, files: FakeOptions["files"], words: readonly string[]]>([
  ["the command line", {}, ["usernet"]],
  ["the command line, as share", {}, ["share"]],
  ["the command line, as socks", {}, ["socks", "1080"]],
  ["/etc/ppp/options", { "/etc/ppp/options": "usernet" }, []],
  ["the user's own file", { "/home/zaphod/.ppprc": "share noauth" }, []],
  ["a file that the command line names", { "/tmp/mine": "usernet noauth" }, ["file", "/tmp/mine"]],
  ["a file of a peer", { "/etc/ppp/peers/isp": "usernet" }, ["call", "isp"]],
])("user-mode networking in %s: every option, and /etc/ppp/options need not exist", (_where, files, words) => {
  const host = owner(files);
  const config = parseOptions([...words, ...FREE], host);
  expect(config).toMatchObject({ auth: "noauth", connect: "exec chat", shareAllow: ["10.0.0.0/8"] });
  expect(config.facts.privileged).toBe(true);
  expect(hostInForce(config, host).privileged).toBe(true);
});

test("without it the rules of pppd hold, letter for letter, and its messages come once", () => {
  const words: readonly (readonly string[])[] = [
    ["notty", "noauth"],
    ["notty", "logfile", "/root/x"],
    ["notty", "share", "noauth", "noshare"],
    ["notty", "nosuchword", "noauth"],
    ["notty", "noauth", "nosuchword"],
    ["notty", "ipx-network", "5", "noauth"],
    ["--version", "noauth"],
  ];
  for (const files of [{}, ROOTS, { "/etc/ppp/options": "connect one" }])
    for (const line of [...words, ["notty", "connect", "two"]]) {
      const [own, lent] = [owner(files), borrower(files)];
      expect([line, said(own, ...line)]).toEqual([line, said(lent, ...line)]);
      expect(own.logged).toEqual(lent.logged);
      expect(own.complaints).toEqual(lent.complaints);
    }
});

test("what fails for want of rights only has a hint how it works", () => {
  const hintsOf = (...words: readonly string[]): readonly string[] => {
    try {
      parseOptions(words, owner(ROOTS));
    } catch (error) {
      if (error instanceof OptionError) return error.hints;
    }
    return [];
  };
  const HINT = "Without root's rights every option works with usernet, which needs no interface";
  expect(hintsOf("notty", "noauth")).toEqual([HINT]);
  expect(hintsOf("notty", "noauth", "nosuchword")).not.toContain(HINT);
});

test("a mistake is named, not the option before it that the user may use", () => {
  expect(said(owner({}), "notty", "usernet", "noauth", "nosuchword")).toBe("unrecognized option 'nosuchword'");
});

test("options of an ordinary user are his own business: whose a file is does not matter, and if he may not read it", () => {
  const own = { text: "noauth", uid: 1005, mode: 0o666 };
  const mine = owner({}, { etc: "/home/zaphod/ppp", readFile: () => own });
  expect(said(mine, "notty", "usernet")).toBe("");
  const closed = owner({}, { readFile: () => ({ errno: "EACCES", reason: "Permission denied" }) });
  expect(parseOptions(["notty", "usernet", "noauth"], closed).auth).toBe("noauth");
  expect(closed.logged[0]).toBe("Warning: can't open options file /etc/ppp/options: Permission denied");
});

test("a log of root that he may not write does not stop him, but one that he asks for himself does", () => {
  const closed = { openLogfile: () => ({ errno: "EACCES", reason: "Permission denied" }) };
  const files = { "/etc/ppp/options": "logfile /var/log/ppp.log" };
  const host = owner(files, closed);
  expect(parseOptions(["notty", "usernet"], host).logDefault).toBe(true);
  expect(host.logged).toEqual(["Can't open log file /var/log/ppp.log: Permission denied"]);
  expect(said(owner({}, closed), "notty", "usernet", "logfile", "/var/log/x")).toContain(
    "Can't open log file /var/log/x",
  );
  const lent = fakeHost({ user: true, files, changes: closed });
  expect(said(lent, "notty")).toContain("Can't open log file /var/log/ppp.log");
});

// ── a set-user-id or set-group-id program, or one with capabilities of its own ───────────────────────────────────────

const NEEDS_ROOT = OPTIONS.entries.flatMap(({ row }) =>
  row.rules & PRIVILEGED && row.plugin === undefined ? [row] : [],
);

test("where rights are lent, user-mode networking frees no option, and root's options file must exist", () => {
  expect(NEEDS_ROOT.length).toBeGreaterThan(20);
  for (const { name, argument } of NEEDS_ROOT)
    for (const asks of [[], ["usernet"], ["share"]]) {
      const words = [name, ...(argument ? ["1"] : [])];
      expect(said(borrower(), "notty", ...words, ...asks)).toBe(`using the ${name} option requires root privilege`);
    }
  expect(said(borrower({}), "notty", "usernet")).toContain("Can't open options file /etc/ppp/options");
});

test.each(["usernet", "share", "share=loopback", "share-allow", "share-deny", "forward", "socks"])(
  "where rights are lent, %s is for root: its sockets would have root's rights",
  (name) => {
    expect(NEEDS_ROOT.map((row) => row.name)).toContain(name);
  },
);

test("where rights are lent, a file of root that asks for sockets gives them and nothing else", () => {
  const host = borrower({ "/etc/ppp/options": "usernet", "/home/zaphod/.ppprc": "" });
  const config: Config = parseOptions(["notty"], host);
  expect([config.usernet, config.facts.privileged, hostInForce(config, host).privileged]).toEqual([true, false, false]);
  expect(said(host, "notty", "noauth")).toBe("using the noauth option requires root privilege");
});
