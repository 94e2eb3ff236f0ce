// nullmodem setup: what it writes for each role, what it shows, what it refuses, and what it asks.

import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addressesBeside } from "../../../src/commands/setup/address-choice.ts";
import { flagsOf } from "../../../src/commands/setup/setup-flags.ts";
import type { Asker } from "../../../src/commands/setup/terminal.ts";
import { PRESETS } from "../../../src/options/presets.ts";
import { parseIpv4 } from "../../../src/options/numbers.ts";
import { Tree } from "./tree.ts";

const trees: Tree[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) tree.remove();
});

function newTree(files: Readonly<Record<string, string>> = {}): Tree {
  const tree = new Tree();
  trees.push(tree);
  tree.put("/password", `gargle "Blaster"\n`, 0o600);
  for (const [path, text] of Object.entries(files)) tree.put(path, text, path.endsWith("-secrets") ? 0o600 : 0o644);
  return tree;
}

const SERVE = "--role serve --port /dev/ttyS1";
const JOIN = "--role join --port ttyS0";

/** The lines of setup in a file, without its marks. */
function part(tree: Tree, path: string): string[] {
  const lines = tree.text(path).split("\n");
  const [begin, end] = ["# >>> ", "# <<< "].map((mark) => lines.findIndex((line) => line.startsWith(mark)));
  return lines.slice(begin! + 1, end);
}

describe("what it writes", () => {
  test("a server with one caller, and what the caller's machine is told", async () => {
    const tree = newTree({ "/etc/ppp/options.ttyS1": "# mine\n", "/etc/ppp/pap-secrets": "otto * x\n" });
    const said = await tree.run(`${SERVE} --user anna --password-file ${tree.root}/password --yes`);
    expect(said).toMatchObject({ code: 0, err: "" });
    expect(part(tree, "/etc/ppp/options.ttyS1")).toEqual([
      "115200",
      "lock",
      "local",
      "crtscts",
      "silent",
      "auth",
      expect.stringMatching(/^[\d.]+:[\d.]+$/),
      "persist",
      "maxfail 0",
    ]);
    expect(tree.text("/etc/ppp/options.ttyS1")).toStartWith("# mine\n");
    for (const name of ["pap-secrets", "chap-secrets"]) {
      // pppd takes the first line that could be of a caller.
      expect(part(tree, `/etc/ppp/${name}`)[1]).toBe(String.raw`anna * "gargle \"Blaster\"" *`);
      expect(tree.text(`/etc/ppp/${name}`)).toStartWith("# >>> nullmodem setup serve ttyS1:");
      expect(tree.mode(`/etc/ppp/${name}`)).toBe(0o600);
    }
    expect(said.out).toContain(" * ******** *\n");
    expect(said.out).not.toContain("gargle");
    expect(said.out).toContain("\n  pppd /dev/ttyS1 nodetach\n");
    expect(said.out).toContain(
      "  nullmodem setup --role join --port /dev/ttyS0 --speed 115200 --flow rtscts --user anna\n",
    );
    expect(said.out).toContain("  pppd /dev/ttyS0 115200 local crtscts nodetach noauth user anna\n");
  });

  test("a caller: a file for pon, a password that lets nobody in, and a service", async () => {
    const tree = newTree({ "/etc/ppp/pap-secrets": "otto * x *\n" });
    const words = `${JOIN} --speed 9600 --flow none --user anna --password-file ${tree.root}/password --service systemd`;
    const said = await tree.run(`${words} --default-route --name desk --yes`);
    expect(said).toMatchObject({ code: 0, err: "" });
    expect(part(tree, "/etc/ppp/peers/desk").join(" ")).toBe(
      "/dev/ttyS0 9600 lock local nocrtscts noauth user anna noipdefault defaultroute usepeerdns persist maxfail 0 holdoff 5",
    );
    expect(tree.text("/etc/ppp/pap-secrets")).toStartWith("otto * x *\n");
    expect(part(tree, "/etc/ppp/pap-secrets")[1]).toBe(String.raw`anna * "gargle \"Blaster\""`);
    const unit = tree.text("/etc/systemd/system/nullmodem-desk.service");
    expect(unit).toContain("ExecStart=/usr/local/sbin/pppd call desk nodetach\n");
    expect(said.out).toContain("systemctl daemon-reload && systemctl enable --now nullmodem-desk\n");
  });

  test.each(PRESETS.map((preset) => [preset.name, preset] as const))(
    "peer %s: pppd takes the files",
    async (name, preset) => {
      const isModem = preset.greeting === "modem";
      for (const role of isModem ? ["join"] : ["serve", "join"]) {
        const tree = newTree();
        const said = await tree.run(`--role ${role} --port /dev/ttyS1 --auth none --peer ${name} --apn internet --yes`);
        expect(said).toMatchObject({ code: 0, err: "" });
        const lines = part(tree, role === "serve" ? "/etc/ppp/options.ttyS1" : "/etc/ppp/peers/ttyS1");
        expect(lines).toContain(`peer ${name}`);
        const asked =
          role === "serve" ? lines.includes("autodetect") : lines.some((line) => line.startsWith("connect "));
        expect(asked).toBe(role === "serve" ? preset.greeting !== undefined : isModem || preset.greeting === "windows");
        expect(said.out).toContain(
          `On the other machine (${preset.about}):\n  ${preset.there.replace("SPEED", "115200")}\n`,
        );
      }
    },
  );

  test("the file of a caller, and the options of a server, are pppd's own when the other system is a Linux", async () => {
    const names = readFileSync(join(import.meta.dir, "../../../fixtures/options/names.tsv"), "utf8");
    const known = new Set(names.split("\n").flatMap((line) => (line.endsWith("\t-") ? [line.split("\t")[0]] : [])));
    const tree = newTree();
    const user = `--user anna --password-file ${tree.root}/password --yes`;
    await tree.run(`${SERVE} ${user} --share lan --addresses 192.168.5.1:192.168.5.9 --service cron`);
    await tree.run(`${JOIN} ${user.replace("anna", "otto")} --default-route --service cron`);
    for (const path of ["/etc/ppp/options.ttyS1", "/etc/ppp/peers/ttyS0"]) {
      const words = part(tree, path).map((line) => line.split(" ")[0] ?? "");
      expect(words.filter((word) => !known.has(word) && !/^(\d+|\/dev\/.*|[\d.]+:[\d.]+)$/.test(word))).toEqual([]);
      expect(words.length).toBeGreaterThan(8);
    }
  });

  test("a modem is dialled with its access point", async () => {
    const tree = newTree();
    await tree.run(`${JOIN} --peer quectel --apn web.example --number *99***1# --yes`);
    expect(part(tree, "/etc/ppp/peers/ttyS0").find((line) => line.startsWith("connect"))).toBe(
      `connect "chat -v ABORT ERROR ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 60 '' ATZ OK ` +
        String.raw`'AT+CGDCONT=1,\"IP\",\"web.example\"' OK 'ATD*99***1#' CONNECT '\\c'"`,
    );
  });

  test("users of the system on a Debian, whose pap-secrets has a line for everybody", async () => {
    const tree = newTree({ "/etc/ppp/pap-secrets": '*\thostname\t""\t*\nguest\thostname\t"*"\t-\n' });
    const said = await tree.run(`${SERVE} --auth login --yes`);
    expect(said).toMatchObject({ code: 0, err: "" });
    expect(part(tree, "/etc/ppp/pap-secrets")[1]).toBe('* * "" *');
    expect(part(tree, "/etc/ppp/options.ttyS1").join(" ")).toContain("auth login require-pap");
  });

  test("sharing the local network takes addresses of that network", async () => {
    const tree = newTree();
    const said = await tree.run(`${SERVE} --auth none --share lan --yes`);
    expect([said.code, said.err]).toEqual([2, expect.stringContaining("\n  --addresses OURS:PEERS\n")]);
    await tree.run(`${SERVE} --auth none --share lan --addresses 192.168.5.1:192.168.5.9 --yes`);
    expect(part(tree, "/etc/ppp/options.ttyS1").join(" ")).toContain("192.168.5.1:192.168.5.9 proxyarp ktune");
  });

  test("sharing the Internet is one word of the options", async () => {
    const tree = newTree();
    expect(await tree.run(`${SERVE} --auth none --share internet --yes`)).toMatchObject({ code: 0, err: "" });
    expect(part(tree, "/etc/ppp/options.ttyS1")).toContain("share");
  });

  test("twice the same changes nothing; another role on the port takes the options of the first out of force", async () => {
    const tree = newTree();
    await tree.run(`${SERVE} --auth login --yes`);
    const before = tree.snapshot();
    expect(await tree.run(`${SERVE} --auth login --yes`)).toMatchObject({
      code: 0,
      out: expect.stringContaining("already"),
    });
    expect(tree.snapshot()).toEqual(before);
    await tree.run("--role join --port /dev/ttyS1 --yes");
    expect(part(tree, "/etc/ppp/options.ttyS1")).toEqual([]);
    await tree.run("--undo");
    expect(tree.snapshot()).toEqual(before);
  });
});

describe("what it refuses, with nothing changed", () => {
  const cases: [why: string, words: string, files: Record<string, string>, err: RegExp][] = [
    [
      "a file of that name",
      `${JOIN} --yes`,
      { "/etc/ppp/peers/ttyS0": "mine\n" },
      /peers\/ttyS0 is there already.*--name\n/,
    ],
    [
      "a service of that name",
      `${SERVE} --auth none --service cron --yes`,
      { "/etc/cron.d/nullmodem-ttyS1": "mine\n" },
      /cron\.d\/nullmodem-ttyS1 is there already/,
    ],
    [
      "a line for that user",
      `${SERVE} --user anna --yes`,
      { "/etc/ppp/chap-secrets": "anna * x\n" },
      /a line for anna/,
    ],
    [
      "options that pppd would refuse with those that are there",
      `${SERVE} --auth none --peer palm --yes`,
      { "/etc/ppp/options": "peer win98\n" },
      /^pppd: .*peer palm and peer win98 \(from \/etc\/ppp\/options\) exclude each other\n/,
    ],
    [
      "options of the administrator that pppd does not know",
      `${SERVE} --auth none --yes`,
      { "/etc/ppp/options": "locl\n" },
      /unrecognized option 'locl'\nDid you mean local/,
    ],
  ];
  test.each(cases)("%s", async (_, words, files, err) => {
    const tree = newTree(files);
    const before = tree.snapshot();
    const said = await tree.run(`${words} --password-file ${tree.root}/password`);
    expect(said.code).toBe(1);
    expect(said.err).toMatch(err);
    expect(said.err).toEndWith("Nothing was changed.\n");
    expect(tree.snapshot()).toEqual(before);
  });

  test("a secrets file that others can read", async () => {
    const tree = newTree();
    tree.put("/etc/ppp/pap-secrets", "", 0o640);
    const said = await tree.run(`${SERVE} --auth login --yes`);
    expect([said.code, said.err]).toEqual([
      1,
      "others than its owner may use /etc/ppp/pap-secrets: chmod 600 /etc/ppp/pap-secrets first\nNothing was changed.\n",
    ]);
  });

  test.each([
    ["--roll serve", /there is no option "--roll" \(did you mean --role\?\)/],
    ["--yes=1", /--yes takes no value/],
    ["--role", /--role needs a value/],
    [`${SERVE} --auth none --peer plam`, /--peer plam: there is no such preset\. Did you mean palm\?/],
    [`${SERVE} --auth none --peer simcom`, /--peer simcom: such a modem is dialled: --role join/],
    [`${SERVE} --auth none --speed fast`, /"fast" is not a speed/],
    [`${SERVE} --auth none --addresses 10.0.0.300:`, /--addresses .*: not OURS:PEERS/],
    [`${JOIN} --name ../x`, /--name .*: letters/],
    [`${JOIN} --service launchd`, /launchd: one of none, inittab/],
  ])("%s", async (words, err) => {
    const tree = newTree();
    const said = await tree.run(`--dry-run ${words}`);
    expect(said.code).toBe(2);
    expect(said.err).toMatch(err);
  });

  test("without a terminal: it tells what is missing, and writes nothing without --yes", async () => {
    const tree = newTree();
    const said = await tree.run("--role serve --auth password");
    expect([said.code, said.err]).toEqual([
      2,
      "Without a terminal, or with --yes, setup cannot ask. These are missing:\n" +
        "  --port /dev/ttyS1\n  --user NAME\n  --password-file FILE (-: standard input)\n",
    ]);
    const before = tree.snapshot();
    for (const [words, code] of [
      ["--dry-run", 0],
      ["", 1],
    ] as const) {
      const shown = await tree.run(`${SERVE} --auth none ${words}`);
      expect([shown.code, shown.out]).toEqual([code, expect.stringContaining("+++ /etc/ppp/options.ttyS1\n")]);
      expect(tree.snapshot()).toEqual(before);
    }
  });
});

describe("what it asks", () => {
  /** Answers questions by their beginnings, and notes them. */
  function asker(answers: Readonly<Record<string, string>>): Asker & { asked: string[] } {
    const asked: string[] = [];
    const answer = async (question: string): Promise<string> => {
      asked.push(question);
      return Object.entries(answers).find(([start]) => question.startsWith(start))?.[1] ?? "";
    };
    return {
      asked,
      choose: async (question, choices, first) => {
        const given = (await answer(question)) || first;
        expect(choices.map(({ value }) => value)).toContain(given);
        return given;
      },
      text: async (question, usual) => (await answer(question)) || usual,
      password: answer,
      confirm: async (question) => (await answer(question)) === "yes",
    };
  }

  test("all that no flag tells, and at last whether to write", async () => {
    const tree = newTree();
    const some = asker({
      "This machine": "join",
      "The other machine wants": "password",
      "Our name": "anna",
      "The password": "pw",
      Once: "pw",
      Write: "yes",
    });
    const said = await tree.run("--port /dev/ttyS0 --peer palm", { asker: some });
    expect(said).toMatchObject({ code: 0, err: "" });
    expect(some.asked).toEqual([
      "This machine",
      "Bits a second",
      "The other machine wants",
      "Our name there",
      "The password",
      "Once more",
      "Use its network and name servers?",
      "Start the link with the machine",
      "Write this?",
    ]);
    expect(part(tree, "/etc/ppp/chap-secrets")[1]).toBe("anna * pw");
  });

  test("no is no", async () => {
    const tree = newTree();
    const before = tree.snapshot();
    const said = await tree.run(`${SERVE} --auth none`, { asker: asker({}) });
    expect([said.code, said.err]).toEqual([1, "Nothing was changed.\n"]);
    expect(said.out).toContain("+++ /etc/ppp/options.ttyS1\n");
    expect(tree.snapshot()).toEqual(before);
  });
});

test("addresses that no network of this machine has", () => {
  const network = (text: string, prefix: number) => ({ address: parseIpv4(text)!, prefix });
  expect(addressesBeside([])).toBe("192.168.0.1:192.168.1.1");
  expect(addressesBeside([network("192.168.1.77", 24)])).toBe("10.9.0.1:10.9.0.2");
  expect(addressesBeside([network("192.168.0.77", 16), network("10.1.2.3", 8)])).toBe("172.29.0.1:172.29.0.2");
});

test("flags with their values in either form", () => {
  expect(flagsOf(["--role=serve", "--port", "/dev/x=y", "--apn=a=b", "--yes"])).toEqual({
    role: "serve",
    port: "/dev/x=y",
    apn: "a=b",
    yes: "",
  });
});
