// The texts with which an init or cron starts pppd: each has the same words in its own quoting. They are read back by
// the real programs if those are installed.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkWords } from "../../src/commands/service-check.ts";
import { type Kind, KINDS, type Place, serviceText } from "../../src/commands/service-texts.ts";
import { fakeHost } from "../kit/optionhost.ts";

const folder = mkdtempSync(join(tmpdir(), "nullmodem-service-"));
afterAll(() => rmSync(folder, { recursive: true }));

const place: Place = { pppd: "/usr/local/sbin/pppd", busyboxInit: false, cronFolder: true };
const OPTIONS = ["115200", "connect", `chat -v '' "AT\\M1" OK 'ATDT 5%5;$x'`, "user", "it's"];
const COMMAND = [place.pppd, "/dev/ttyS1", ...OPTIONS];

const text = (kind: Kind, device: string | undefined, options: readonly string[], there = place): string =>
  serviceText(kind, { device, options }, there);

/** The words that a shell makes from it. */
function words(line: string): string[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", `set -- ${line}; printf '%s\\0' "$@"`]);
  return stdout.toString().split("\0").slice(0, -1);
}

test("inittab: an id of its own, runlevels, and words for a shell", () => {
  const said = text("inittab", "/dev/ttyS1", OPTIONS);
  expect(said).toStartWith("# /etc/inittab; then: init q\n");
  const [, id, levels, action, line] = /^([^#:]+):([^:]*):([^:]*):(.*)$/m.exec(said)!;
  expect([id, levels, action, words(line!)]).toEqual(["pdS1", "2345", "respawn", [...COMMAND, "nodetach"]]);
});

test("inittab of busybox: no id and no runlevels", () => {
  const busybox = { ...place, busyboxInit: true };
  expect(text("inittab", "/dev/ttyS1", ["-detach", "local"], busybox)).toBe(
    "# /etc/inittab; then: kill -HUP 1\n::respawn:/usr/local/sbin/pppd /dev/ttyS1 -detach local\n",
  );
});

test("inittab: what sysvinit would cut off is refused, and busybox's takes it", () => {
  const long = Array.from({ length: 30 }, () => "noauth");
  expect(() => text("inittab", "/dev/ttyS1", long)).toThrow(/^sysvinit takes 127 characters and this line has \d+/);
  expect(text("inittab", "/dev/ttyS1", long, { ...place, busyboxInit: true })).toContain("noauth nodetach\n");
});

test("cron: persist, since nobody else starts it again, and percent signs that stay", () => {
  const said = text("cron", "/dev/ttyS1", OPTIONS);
  expect(said).toStartWith("# /etc/cron.d/nullmodem-ttyS1\n@reboot root ");
  // cron itself removes the backslashes.
  const line = /^@reboot root (.*)$/m.exec(said)![1]!.replaceAll("\\%", "%");
  expect(words(line)).toEqual([...COMMAND, "persist", "maxfail", "0"]);
  expect(text("cron", "/dev/ttyS1", ["maxfail", "3", "persist"], { ...place, cronFolder: false })).toBe(
    "# /etc/crontabs/root\n@reboot /usr/local/sbin/pppd /dev/ttyS1 maxfail 3 persist\n",
  );
});

test("OpenRC: a script whose command_args are evaluated twice", () => {
  const script = text("openrc", "/dev/ttyS1", OPTIONS);
  expect(script).toStartWith("#!/sbin/openrc-run\n# /etc/init.d/nullmodem-ttyS1\n");
  const { stdout } = Bun.spawnSync([
    "sh",
    "-c",
    `${script}\neval set -- "$command" $command_args; printf '%s\\0' "$@"`,
  ]);
  expect(stdout.toString().split("\0").slice(0, -1)).toEqual([...COMMAND, "nodetach"]);
});

describe("systemd", () => {
  test("a unit that comes and goes with its line", () => {
    const said = text("systemd", "/dev/ttyS1", OPTIONS);
    expect(text("systemd", "/dev/ttyS1", ["up_sdnotify"])).toContain("/dev/ttyS1 up_sdnotify\n");
    for (const line of [
      "Type=notify",
      "BindsTo=dev-ttyS1.device",
      "WantedBy=dev-ttyS1.device",
      "Restart=always",
      "KillMode=mixed",
    ]) {
      expect(said).toContain(`\n${line}\n`);
    }
    expect(/^ExecStart=(.*)$/m.exec(said)![1]).toBe(
      `/usr/local/sbin/pppd /dev/ttyS1 115200 connect "chat -v '' \\"AT\\\\M1\\" OK 'ATDT 5%%5;$$x'" user "it's" nodetach`,
    );
  });

  test("a template for any line, and a unit without one for a peers file", () => {
    const template = text("systemd", undefined, ["local"]);
    expect(template).toStartWith("# /etc/systemd/system/nullmodem@.service\n");
    expect(template).toContain("\nExecStart=/usr/local/sbin/pppd /dev/%I local nodetach\n");
    const called = text("systemd", undefined, ["call", "office.2"]);
    expect(called).toStartWith("# /etc/systemd/system/nullmodem-office-2.service\n");
    expect(called).toContain("\nWantedBy=multi-user.target\n");
    expect(called).not.toContain("BindsTo");
  });

  const escape = Bun.which("systemd-escape");
  const titleOf = (name: string, tool: string | null): string =>
    tool === null ? `${name} [skipped: no systemd here]` : name;
  test.skipIf(escape === null)(titleOf("the device's unit is named as systemd-escape names it", escape), () => {
    for (const device of ["/dev/ttyS1", "/dev/serial/by-id/usb-FTDI_FT232R-if00-port0", "/dev/.x/ä b"]) {
      const name = Bun.spawnSync([escape!, "--path", device]).stdout.toString().trim();
      expect(text("systemd", device, [])).toContain(`\nBindsTo=${name}.device\n`);
    }
  });

  const analyze = Bun.which("systemd-analyze");
  test.skipIf(analyze === null)(titleOf("systemd-analyze has nothing to say against them", analyze), () => {
    // It requires that the program exists.
    const there = { ...place, pppd: "/bin/true" };
    const units = [
      ["nullmodem-ttyS1.service", text("systemd", "/dev/ttyS1", OPTIONS, there)],
      ["nullmodem@.service", text("systemd", undefined, ["local"], there)],
    ] as const;
    for (const [name, unit] of units) {
      writeFileSync(join(folder, name), unit);
      const instance = join(folder, name.replace("@", "@ttyS1"));
      writeFileSync(instance, unit);
      const { stderr } = Bun.spawnSync([analyze!, "verify", "--man=no", instance]);
      expect(
        stderr
          .toString()
          .split("\n")
          .filter((line) => line.includes("nullmodem")),
      ).toEqual([]);
    }
  });
});

test("a USB adapter's changing name is pointed out everywhere", () => {
  for (const kind of KINDS) {
    expect(text(kind, "/dev/ttyUSB0", [])).toContain("Its name in /dev/serial/by-id stays the same.\n");
    expect(text(kind, "/dev/ttyS0", [])).not.toContain("by-id");
  }
});

test("a word that would begin a new line is refused by all", () => {
  for (const kind of KINDS) {
    expect(() => text(kind, "/dev/ttyS0", ["user", "a\nb"])).toThrow(`has a character that no ${kind} line can have`);
  }
});

describe("nullmodem service", () => {
  const MAIN = join(import.meta.dir, "../../src/main.ts");
  const run = (...argv: string[]): [number, string, string] => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, "service", ...argv], {
      env: { ...process.env, NODE_ENV: undefined, CONSOLA_LEVEL: "0" },
    });
    return [exitCode, stdout.toString(), stderr.toString()];
  };

  test("takes pppd's words as they are, a device by its name, and none", () => {
    const line = /pppd .*$/m;
    expect(line.exec(run("cron", "ttyS3", "-detach", "local")[1])![0]).toBe(
      "pppd /dev/ttyS3 -detach local persist maxfail 0",
    );
    expect(line.exec(run("cron", "call", "office")[1])![0]).toBe("pppd call office persist maxfail 0");
    expect(line.exec(run("cron", "local")[1])![0]).toBe("pppd /dev/ttyS0 local persist maxfail 0");
    expect(run("systemd")[1]).toContain("/dev/%I");
  });

  test("explains itself when asked, and otherwise complains on stderr", () => {
    const [status, out, err] = run("--help");
    expect([status, err]).toEqual([0, ""]);
    for (const kind of KINDS) expect(out).toContain(kind);
    expect(out).not.toContain("\x1b");
    const wrong = run("launchd");
    expect([wrong[0], wrong[1]]).toEqual([2, ""]);
    expect(wrong[2]).toContain('there is no service "launchd"');
    expect(run()[0]).toBe(2);
    expect(run("cron", "ttyS0", "locl")).toEqual([2, "", "pppd: unrecognized option 'locl'\nDid you mean local?\n"]);
    expect(run("cron", "ttyS0", "a\nb")).toEqual([2, "", expect.stringContaining("no cron line can have")]);
  });
});

test("words that pppd would refuse are refused, with what may have been meant", () => {
  const files = { "/etc/ppp/peers/office": "/dev/ttyUSB9 115200 noauth\n", "/etc/ppp/options.ttyS1": "locl\n" };
  const check = (device: string | undefined, ...options: string[]) =>
    checkWords({ device, options }, fakeHost({ files }), true);
  const fine = { refusal: [], warning: [] };
  expect(check("/dev/ttyS0", "115200", "local", "noauth")).toEqual(fine);
  expect(check("/dev/ttyUSB9", "115200", "noauth")).toEqual(fine);
  expect(check(undefined, "call", "office")).toEqual(fine);
  expect(check(undefined, "115200", "noauth")).toEqual(fine);
  expect(check("/dev/ttyS0", "noath").refusal).toEqual(["pppd: unrecognized option 'noath'", "Did you mean noauth?"]);
  expect(check("/dev/ttyS0", "mru").refusal).toEqual(["pppd: too few parameters for option mru"]);
  expect(check("/dev/ttyS0", "--help").refusal).toEqual(["pppd: --help ends pppd at once"]);
  expect(check("/dev/ttyS1").refusal).toEqual([
    "pppd: In file /etc/ppp/options.ttyS1: unrecognized option 'locl'",
    "Did you mean local?",
  ]);
  expect(check(undefined, "call", "nobody")).toEqual({
    refusal: [],
    warning: ["pppd: Can't open options file /etc/ppp/peers/nobody: No such file or directory"],
  });
  // A secret may be written later.
  const secretless = check("/dev/ttyS0", "auth");
  expect(secretless.refusal).toEqual([]);
  expect(secretless.warning[0]).toBe("pppd: The remote system is required to authenticate itself");
});

describe("serve", () => {
  const WORDS = ["ttyS0", "ttyUSB*", "--auth", "--", "ms-dns", "10.0.0.1"];
  const wanted = { device: undefined, options: WORDS, serves: true };
  const COMMAND_LINE = ["/usr/local/sbin/nullmodem", "serve", ...WORDS];

  test("has its words in every text, and nothing that only pppd knows", () => {
    const line = /:respawn:(.*)$/m.exec(serviceText("inittab", wanted, place))![1]!;
    expect(words(line)).toEqual(COMMAND_LINE);
    expect(words(/^@reboot root (.*)$/m.exec(serviceText("cron", wanted, place))![1]!)).toEqual(COMMAND_LINE);
    const script = serviceText("openrc", wanted, place);
    const { stdout } = Bun.spawnSync([
      "sh",
      "-c",
      `${script}\nset -f; eval set -- "$command" $command_args; printf '%s\\0' "$@"`,
    ]);
    expect(stdout.toString().split("\0").slice(0, -1)).toEqual(COMMAND_LINE);
    const unit = serviceText("systemd", wanted, place);
    expect(unit).toStartWith("# /etc/systemd/system/nullmodem-serve.service\n");
    expect(unit).toContain('ExecStart=/usr/local/sbin/nullmodem serve ttyS0 "ttyUSB*" --auth -- ms-dns 10.0.0.1\n');
    expect(unit).not.toContain("BindsTo");
  });

  test("is checked like a command line of serve", () => {
    const host = fakeHost();
    const refusal = (options: readonly string[]) => checkWords({ ...wanted, options }, host, true).refusal;
    expect(refusal(["ttyS0", "ttyUSB*", "--", "ms-dns", "10.0.0.1"])).toEqual([]);
    // As a service, each of these would end at once and be started again.
    expect(refusal(WORDS)[0]).toBe("nullmodem serve: The remote system is required to authenticate itself");
    expect(refusal(["10.0.0.1:5000"])[0]).toContain("auth");
    const some = checkWords({ ...wanted, options: ["ttyS0", "10.0.0.1:5000"] }, host, true);
    expect([some.refusal, some.warning[0]]).toEqual([[], expect.stringContaining("auth")]);
    expect(refusal(["ttyS0", "--speed"])).toEqual(["nullmodem serve: --speed takes bits a second: 115200"]);
    expect(refusal(["ttyS0", "--", "loacl"])[0]).toContain("loacl");
  });
});
