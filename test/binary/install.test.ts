// The stick's install.sh in a small Debian and a small Alpine: what it makes, what it leaves alone, what it refuses
// with which message, and that --uninstall restores everything. The executables are scripts; installed.test.ts uses
// real ones.

import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { fillStick, type Packed } from "../../scripts/stick.ts";
import { tarOf } from "../../scripts/stick/tar-archive.ts";
import { KINDS, serviceText } from "../../src/commands/service-texts.ts";
import { closeFd, libc, Memory, O, openFd } from "../../src/os/ffi/libc.ts";
import { openPty } from "../../src/os/serial/pty.ts";
import { alpineMissing, alpineRoot, debianMissing, debianRoot, MUSL, type Root } from "./roots.ts";
import { titled } from "./scene.ts";

const WORDS = ["115200", "local"];
const place = { pppd: "/usr/local/sbin/pppd", busyboxInit: false, cronFolder: true };

/** More entries of an inittab, by the words that they are made from. */
const INITTAB = [
  ["/dev/ttyS1 9600", "pdS1:2345:respawn:/usr/local/sbin/pppd /dev/ttyS1 9600 nodetach"],
  ["/dev/ttyS2 9600", "pdS2:2345:respawn:/usr/local/sbin/pppd /dev/ttyS2 9600 nodetach"],
  ["/dev/ttyUS1 9600", "pdS1:2345:respawn:/usr/local/sbin/pppd /dev/ttyUS1 9600 nodetach"],
] as const;

/** The script in place of the executable. It prints its name and version, and the same service texts. */
function standIn(version: string): Uint8Array<ArrayBuffer> {
  const texts = KINDS.map((kind) => {
    const text = serviceText(kind, { device: "/dev/ttyS1", options: WORDS }, place);
    return `"service ${kind} /dev/ttyS1" | "service ${kind} /dev/ttyS1 ${WORDS.join(" ")}") cat <<'END' ;;\n${text}END\n`;
  });
  const others = INITTAB.map(
    ([words, line]) => `"service inittab ${words}") echo '# /etc/inittab'; echo '${line}' ;;\n`,
  );
  return Buffer.from(
    `#!/bin/sh\ncase $* in\n--version) echo "nullmodem ${version}" ;;\n${texts.join("")}${others.join("")}*) exit 2 ;;\nesac\n`,
  );
}

const LIBRARY = Buffer.from("a C++ library\n");

/** Files of the share folder. */
function share(version: string): Packed {
  const names = [
    ...["man/man1/pon.1", "man/man8/pppd.8", "bash-completion/completions/pppd"],
    ...["zsh/site-functions/_nullmodem", "fish/vendor_completions.d/pppd.fish"],
  ];
  const bytes = tarOf(new Map(names.map((name) => [name, `${name} ${version}\n`])));
  return { file: "share.gz", name: "share.tar", machine: "any", libc: "any", what: "", bytes };
}

function packed(version: string): Packed[] {
  const part = (file: string, libc: Packed["libc"], text: Uint8Array<ArrayBuffer>): Packed => ({
    file,
    name: file === "musl-cxx.gz" ? "libstdc++.so.6" : "nullmodem",
    machine: file === "arm64.gz" ? "aarch64" : "x86_64",
    libc,
    what: file,
    bytes: text,
  });
  return [
    part("x64.gz", "glibc", standIn(`${version} glibc`)),
    part("x64-musl.gz", "musl", standIn(`${version} musl`)),
    part("musl-cxx.gz", "musl", LIBRARY),
    part("arm64.gz", "glibc", standIn(`${version} arm64`)),
  ];
}

const open: Root[] = [];
afterEach(() => {
  for (const root of open.splice(0)) root.close();
});

function withStick(root: Root, version = "1"): Root {
  open.push(root);
  fillStick(root.path("stick"), packed(version), "licences\n", "none");
  return root;
}

const SYSTEMS = [
  { name: "Debian", make: debianRoot, missing: debianMissing, libc: "glibc" },
  { name: "Alpine", make: alpineRoot, missing: alpineMissing, libc: "musl" },
] as const;

for (const { name, make, missing, libc: itsLibc } of SYSTEMS) {
  describe.skipIf(missing !== undefined)(titled(name, missing), () => {
    test("installs, and --uninstall leaves things as they were", () => {
      const root = withStick(make());
      const before = root.snapshot();
      const { status, text } = root.install(["--yes"]);
      expect({ status, text }).toMatchObject({ status: 0 });
      expect(text).toContain(`for x86_64 with ${itsLibc} into /usr/local/sbin\n`);
      expect(root.run(["/usr/local/sbin/nullmodem", "--version"]).text).toBe(`nullmodem 1 ${itsLibc}\n`);
      for (const applet of ["pppd", "chat", "pppstats", "pppdump", "pon", "poff", "plog"]) {
        expect(readlinkSync(root.path(`usr/local/sbin/${applet}`))).toBe("nullmodem");
      }
      const modes = ["options", "pap-secrets", "chap-secrets", "peers"].map((file) => root.mode(`/etc/ppp/${file}`));
      expect(modes).toEqual(["644", "600", "600", "2750"]);
      expect(existsSync(root.path("usr/lib/libstdc++.so.6"))).toBe(itsLibc === "musl");

      // Started from the copy that it left, without the stick.
      for (const file of readdirSync(root.path("stick"))) rmSync(root.path(`stick/${file}`));
      const gone = root.run(["/bin/sh", "/usr/local/lib/nullmodem/install.sh", "--uninstall"]);
      expect(gone).toEqual({ status: 0, text: "nullmodem is gone. A pppd that runs goes on until it ends.\n" });
      expect(root.snapshot()).toEqual(before);
    });

    test("manual pages and completions are where the shells look, and others' stay", () => {
      const root = withStick(make());
      fillStick(root.path("stick"), [...packed("1"), share("1")], "licences\n", "none");
      root.file("/usr/local/share/man/man8/pppd.8", "somebody's own\n");
      root.file("/etc/fish/config.fish", "");
      const before = root.snapshot();
      const { status, text } = root.install(["--yes"]);
      expect({ status, text }).toMatchObject({ status: 0 });
      expect(text).toContain("/usr/local/share/man/man8/pppd.8 is there already and stays as it is\n");
      expect(root.snapshot().filter((line) => before.includes(line))).toEqual(before);
      expect(readlinkSync(root.path("usr/local/share/man/man1/poff.1"))).toBe("pon.1");
      const found = ["man/man1/pon.1", "bash-completion/completions/pppd", "zsh/site-functions/_nullmodem"];
      for (const name of found) {
        expect(root.text(`/usr/local/share/${name}`)).toBe(`${name} 1\n`);
        expect(root.mode(`/usr/local/share/${name}`)).toBe("644");
      }
      expect(root.text("/etc/fish/completions/pppd.fish")).toBe("fish/vendor_completions.d/pppd.fish 1\n");
      fillStick(root.path("stick"), [...packed("2"), share("2")], "licences\n", "none");
      expect(root.install(["--yes"]).status).toBe(0);
      expect(root.text("/usr/local/share/man/man1/plog.1")).toBe("man/man1/pon.1 2\n");
      expect(root.install(["--uninstall"]).status).toBe(0);
      expect(root.snapshot()).toEqual(before);
    });

    test("--dry-run says it all and does nothing", () => {
      const root = withStick(make());
      root.file("/usr/sbin/pppd", "the distribution's\n", 0o4754);
      const before = root.snapshot();
      const { status, text } = root.install(["--dry-run", "--replace", "--service", "cron", "--", ...WORDS]);
      expect(status).toBe(0);
      for (const part of ["/usr/sbin/pppd.distrib", "/usr/local/sbin/poff", "/etc/ppp/pap-secrets with mode 600"]) {
        expect(text).toContain(part);
      }
      expect(text).toContain("would: nullmodem service cron /dev/ttyS0 115200 local\n");
      const called = root.install(["--dry-run", "--service", "cron", "--", "call", "office"]);
      expect(called.text).toContain("would: nullmodem service cron call office\n");
      expect(root.snapshot()).toEqual(before);
    });

    test("what is in /etc/ppp already is not touched, and what was changed since stays", () => {
      const root = withStick(make());
      root.file("/etc/ppp/pap-secrets", "zaphod * gargleBlaster\n", 0o640);
      mkdirSync(root.path("etc/ppp/peers"), { mode: 0o700 });
      const before = root.snapshot();
      expect(root.install(["--yes"]).status).toBe(0);
      expect(root.snapshot().filter((line) => before.includes(line))).toEqual(before);
      root.file("/etc/ppp/options", "lock\nauth\n");
      const { text } = root.install(["--uninstall"]);
      expect(text).toContain("/etc/ppp/options was changed since: it stays\n");
      expect(root.snapshot()).toEqual(
        [...before, ...root.snapshot().filter((line) => /ppp\/options /.test(line))].sort(),
      );
    });

    const onMusl = itsLibc === "musl" ? test : () => {};
    onMusl("a libstdc++ that is there, or came since, is not ours to touch", () => {
      const root = withStick(make());
      root.file("/usr/lib/libstdc++.so.6", "the package's\n");
      const before = root.snapshot();
      expect(root.install(["--yes"]).status).toBe(0);
      expect(root.text("/usr/lib/libstdc++.so.6")).toBe("the package's\n");
      expect(root.install(["--uninstall"]).status).toBe(0);
      expect(root.snapshot()).toEqual(before);
      rmSync(root.path("usr/lib/libstdc++.so.6"));
      root.install(["--yes"]);
      root.file("/usr/lib/libstdc++.so.6", "the package's\n");
      root.install(["--uninstall"]);
      expect(root.snapshot()).toEqual(before);
    });

    test("a second stick takes the place of the first, and one --uninstall is enough", () => {
      const root = withStick(make());
      const before = root.snapshot();
      root.install(["--yes"]);
      const second = packed("2").map((one) =>
        one.name === "libstdc++.so.6" ? { ...one, bytes: Buffer.from("new C++\n") } : one,
      );
      fillStick(root.path("stick"), second, "licences\n", "none");
      expect(root.install(["--yes"]).status).toBe(0);
      if (itsLibc === "musl") expect(root.text("/usr/lib/libstdc++.so.6")).toBe("new C++\n");
      expect(root.run(["/usr/local/sbin/pppd", "--version"]).text).toBe(`nullmodem 2 ${itsLibc}\n`);
      expect(root.install(["--uninstall"]).status).toBe(0);
      expect(root.snapshot()).toEqual(before);
    });

    test("the distribution's pppd stays without --replace, moves aside with it, and comes back", () => {
      const root = withStick(make());
      root.file("/usr/sbin/pppd", "the distribution's\n", 0o4754);
      root.file("/usr/bin/poff", "its poff\n", 0o755);
      root.file("/usr/local/sbin/chat", "somebody's own\n", 0o755);
      const before = root.snapshot();
      const without = root.install(["--yes"]);
      expect(without.text).toContain(
        "The distribution's own stay what they are: /usr/sbin/pppd /usr/bin/poff. --replace puts",
      );
      expect(without.text).toContain("/usr/local/sbin/chat is there already and stays as it is\n");
      expect(root.snapshot().filter((line) => before.includes(line))).toEqual(before);

      const { status, text } = root.install(["--yes", "--replace"]);
      expect({ status, text }).toMatchObject({ status: 0 });
      expect(readlinkSync(root.path("usr/sbin/pppd"))).toBe("/usr/local/sbin/nullmodem");
      expect([root.text("/usr/sbin/pppd.distrib"), root.mode("/usr/sbin/pppd.distrib")]).toEqual([
        "the distribution's\n",
        "4754",
      ]);
      expect(root.text("/usr/local/sbin/chat.distrib")).toBe("somebody's own\n");
      expect(readlinkSync(root.path("usr/local/sbin/chat"))).toBe("nullmodem");
      if (name === "Debian") {
        expect(root.run(["dpkg-divert", "--list"]).text).toContain(
          "local diversion of /usr/sbin/pppd to /usr/sbin/pppd.distrib\n",
        );
      }
      // A second run changes nothing: its own link is not taken for another pppd.
      const replaced = root.snapshot();
      expect(root.install(["--yes", "--replace"]).status).toBe(0);
      expect(root.snapshot().filter((line) => !line.startsWith("/usr/local/lib"))).toEqual(
        replaced.filter((line) => !line.startsWith("/usr/local/lib")),
      );
      expect(root.install(["--uninstall"]).status).toBe(0);
      expect(root.snapshot()).toEqual(before);
    });

    test("a damaged stick is refused, and nothing stays behind", () => {
      const root = withStick(make());
      const before = root.snapshot();
      const archive = root.path(itsLibc === "glibc" ? "stick/x64.gz" : "stick/x64-musl.gz");
      const good = readFileSync(archive);
      const flipped = Buffer.from(good);
      flipped[good.length >> 1]! ^= 1;
      const other = Bun.gzipSync(Buffer.from("something else"));
      for (const bytes of [flipped, good.subarray(0, good.length - 10), other, Buffer.alloc(0)]) {
        writeFileSync(archive, bytes);
        const { status, text } = root.install(["--yes"]);
        expect(status).toBe(1);
        expect(text).toMatch(/the stick is damaged|its SHA-256 is wrong/);
        expect(root.snapshot()).toEqual(before);
      }
    });

    test("an install that fails takes back what it made, and leaves what an earlier one made", () => {
      const root = withStick(make());
      root.file("/usr/sbin/pppd", "the distribution's\n", 0o4754);
      const kind = name === "Debian" ? "systemd" : "openrc";
      const tool = kind === "systemd" ? "systemctl" : "rc-update";
      root.fake(tool, "exit 1");
      const before = root.snapshot();
      const words = ["--yes", "--replace", "--service", kind, "--device", "/dev/ttyS1", "--", ...WORDS];
      const failed = root.install(words);
      expect(failed).toMatchObject({ status: 1, text: expect.stringContaining(`${tool} would not`) });
      expect(root.snapshot()).toEqual(before);

      expect(root.install(["--yes"]).status).toBe(0);
      // The order of the lines in the manifest may change.
      const files = (): string[] => root.snapshot().filter((line) => !line.includes("/manifest "));
      const installed = files();
      expect(root.install(words).status).toBe(1);
      expect(files()).toEqual(installed);
      expect(root.install(["--uninstall"]).status).toBe(0);
      expect(root.snapshot()).toEqual(before);
    });

    test("words that pppd refuses are refused before anything is installed", () => {
      const root = withStick(make());
      const before = root.snapshot();
      const { status, text } = root.install(["--yes", "--service", "cron", "--device", "/dev/ttyS1", "--", "noath"]);
      expect({ status, text }).toEqual({ status: 1, text: expect.stringContaining("nothing was installed") });
      expect(root.snapshot()).toEqual(before);
    });

    test("--unpack needs no installing, says how to start it, and knows a noexec folder", () => {
      const root = withStick(make());
      const { status, text } = root.install(["--unpack", "/tmp/here/it"]);
      expect({ status, text }).toMatchObject({ status: 0 });
      expect(text).toMatch(/^Start it with: .*\/tmp\/here\/it\/pppd \/dev\/ttyS0/m);
      expect(text.includes("LD_LIBRARY_PATH=/tmp/here/it /tmp")).toBe(itsLibc === "musl");
      expect(root.run(["/tmp/here/it/pppd", "--version"]).text).toBe(`nullmodem 1 ${itsLibc}\n`);
      const before = 'mount -t tmpfs -o noexec tmpfs "$1/tmp"';
      const noexec = root.install(["--unpack", "/tmp/there"], { before });
      expect(noexec).toMatchObject({ status: 1 });
      expect(noexec.text).toContain("nothing can be run in /tmp/there: it is mounted noexec\n");
      // Nothing of it remains, because the mount exists only during the run.
      const look = "sh /stick/install.sh --unpack /tmp/there/it; ls -A /tmp";
      expect(root.run(["/bin/sh", "-c", look], { before }).text).toEndWith("it is mounted noexec\n");
      const full = root.install(["--unpack", "/tmp/there"], { before: 'mount -t tmpfs -o size=512k tmpfs "$1/tmp"' });
      expect(full.text).toMatch(/\/tmp\/there has room for 0 MB, and it takes 1$/m);
    });

    test("words it does not know, no root, and a copy of it somewhere else", () => {
      const root = withStick(make());
      expect(root.install(["--frob"])).toEqual({ status: 1, text: "install.sh: --frob? See sh install.sh --help\n" });
      expect(root.install(["--service", "launchd"]).text).toContain(
        "--service is inittab, systemd, openrc or cron, not launchd",
      );
      expect(root.install(["--service", name === "Debian" ? "inittab" : "systemd"]).text).toMatch(
        /^install.sh: there is no \w+ here/,
      );
      root.file("/usr/sbin/pppd", "the distribution's\n", 0o755);
      expect(root.install(["--unpack", "/usr/sbin"]).text).toContain("/usr/sbin has a pppd already");
      expect(root.install(["--service"]).text).toContain("--service needs a word behind it");
      expect(root.install(["--uninstall"]).text).toContain("nothing was installed there");
      const help = root.install(["--help"]);
      expect([help.status, help.text.length > 500]).toEqual([0, true]);
      // busybox finds the user name itself.
      if (name === "Alpine") return;
      root.fake("id", "echo 1000");
      expect(root.install(["--yes"])).toMatchObject({
        status: 1,
        text: expect.stringContaining("only root can do that"),
      });
      expect(root.install(["--unpack", "/tmp/x"]).status).toBe(0);
      rmSync(root.path("fake/id"));
      rmSync(root.path("stick/contents.txt"));
      expect(root.install(["--yes"]).text).toContain("/stick is not the stick: it has no contents.txt");
    });
  });
}

describe.skipIf(debianMissing !== undefined)(titled("machines", debianMissing), () => {
  const cpu = (flags: string): string => `model name\t: Old One\nflags\t\t: fpu ${flags}\n`;
  const uname = (root: Root, machine: string, release = "6.1.0"): void =>
    root.fake("uname", `case $1 in -m) echo ${machine} ;; -r) echo ${release} ;; esac`);
  const only = (root: Root, text: string): void => {
    fillStick(root.path("stick"), [{ ...packed("1")[0]!, bytes: Buffer.from(text) }], "", "none");
  };

  const REFUSED: readonly [what: string, make: (root: Root) => void, says: string][] = [
    ["a processor without SSE4.2", (root) => root.cpuinfo(cpu("lm sse4_1")), "this processor (Old One) lacks SSE4.2"],
    [
      "a virtual one",
      (root) => root.cpuinfo(cpu("lm hypervisor")),
      "AMD since 2011. This is a virtual machine: give it another CPU type (host, x86-64-v2 or Nehalem)\n",
    ],
    ["one without POPCNT", (root) => root.cpuinfo(cpu("lm sse4_2")), "lacks SSE4.2 and POPCNT"],
    ["Linux 2.6", (root) => uname(root, "x86_64", "2.6.32-5-amd64"), "the kernel is too old: Linux 2.6.32-5-amd64,"],
    ["Linux 3.9", (root) => uname(root, "x86_64", "3.9"), "the kernel is too old: Linux 3.9, and it takes 3.10"],
    ["glibc 2.13", (root) => root.fake("getconf", "echo glibc 2.13"), "glibc 2.13, and it takes 2.17"],
    ["a 32-bit system on a 64-bit processor", (root) => uname(root, "i686"), "The processor could: it takes a 64-bit"],
    [
      "a 32-bit processor",
      (root) => {
        uname(root, "i586");
        root.cpuinfo("flags\t\t: fpu tsc\n");
      },
      "this is a 32-bit machine and nullmodem is 64-bit\n",
    ],
    ["32-bit ARM", (root) => uname(root, "armv7l"), "this is a 32-bit ARM system"],
    ["another kind of machine", (root) => uname(root, "riscv64"), "no nullmodem for this kind of machine (riscv64)"],
    [
      "64-bit ARM with musl",
      (root) => {
        uname(root, "aarch64");
        root.file("/lib/ld-musl-aarch64.so.1", "");
      },
      "this stick has no nullmodem for aarch64 with musl",
    ],
    [
      "64-bit ARM with neither C library",
      (root) => uname(root, "aarch64"),
      "neither glibc nor musl (/lib/ld-linux-aarch64.so.1 and /lib/ld-musl-aarch64.so.1 are missing)",
    ],
    ["a processor that fails all the same", (root) => only(root, "#!/bin/sh\nkill -ILL $$\n"), "(illegal instruction)"],
    ["one that will not start", (root) => only(root, "#!/bin/sh\necho no libfoo; exit 127\n"), "run here: no libfoo"],
  ];

  const refuses = (root: Root, says: string): void => {
    const { status, text } = root.install(["--yes"]);
    expect({ status, text }).toEqual({ status: 1, text: expect.stringContaining(says) });
    expect(existsSync(root.path("usr/local/sbin/nullmodem"))).toBe(false);
    expect(existsSync(root.path("usr/local/sbin/nullmodem.new"))).toBe(false);
  };

  for (const [what, make, says] of REFUSED) {
    test(`${what} is refused`, () => {
      const root = withStick(debianRoot());
      make(root);
      refuses(root, says);
    });
  }

  test.skipIf(alpineMissing !== undefined)(
    titled("a 32-bit system on a 64-bit kernel is refused", alpineMissing),
    () => {
      // Its tools are static and run. A Debian without its loader could print nothing.
      const root = withStick(alpineRoot());
      rmSync(root.path(MUSL));
      root.file("/lib/ld-linux.so.2", "");
      refuses(root, "the kernel is 64-bit but the system is 32-bit");
    },
  );

  test("an older kernel is told so and tried, one that says nothing of its processor too", () => {
    const root = withStick(debianRoot());
    uname(root, "x86_64", "3.10.0-1160.el7.x86_64");
    root.cpuinfo("");
    const { status, text } = root.install(["--yes"]);
    expect({ status, text }).toEqual({ status: 0, text: expect.stringContaining("promises only 5.1 and later") });
  });

  test("glibc is known without getconf, by its loader; a loader by that name on musl is not glibc", () => {
    const root = withStick(debianRoot());
    rmSync(root.path("usr/bin/getconf"));
    expect(root.install(["--dry-run"]).text).toContain("Installing x64.gz for x86_64 with glibc");
    if (alpineMissing !== undefined) return;
    const alpine = withStick(alpineRoot());
    alpine.file("/lib64/ld-linux-x86-64.so.2", "#!/bin/sh\necho gcompat\n", 0o755);
    expect(alpine.install(["--dry-run"]).text).toContain("Installing x64-musl.gz for x86_64 with musl");
  });

  test("64-bit ARM gets its own", () => {
    const root = withStick(debianRoot());
    uname(root, "aarch64");
    root.file("/lib/ld-linux-aarch64.so.1", "");
    expect(root.install(["--dry-run"]).text).toContain("Installing arm64.gz for aarch64 with glibc");
  });
});

describe.skipIf(debianMissing !== undefined || alpineMissing !== undefined)(
  titled("services", debianMissing ?? alpineMissing),
  () => {
    /** Commands that only record their arguments. */
    const recorded = (root: Root, ...names: string[]): void => {
      for (const name of names) root.fake(name, `echo "${name} $*" >>/tmp/called`);
    };
    const called = (root: Root): string => (existsSync(root.path("tmp/called")) ? root.text("/tmp/called") : "");
    const service = (root: Root, kind: string) =>
      root.install(["--yes", "--service", kind, "--device", "/dev/ttyS1", "--", ...WORDS]);
    const expected = (kind: (typeof KINDS)[number]): string =>
      serviceText(kind, { device: "/dev/ttyS1", options: WORDS }, place);

    const FILES = [
      ["systemd", debianRoot, "/etc/systemd/system/nullmodem-ttyS1.service", "644", "nullmodem-ttyS1.service"],
      ["cron", debianRoot, "/etc/cron.d/nullmodem-ttyS1", "644", ""],
      ["openrc", alpineRoot, "/etc/init.d/nullmodem-ttyS1", "755", "nullmodem-ttyS1"],
    ] as const;
    for (const [kind, make, file, mode, name] of FILES) {
      test(`${kind}: a file of its own, enabled, and taken back`, () => {
        const root = withStick(make());
        recorded(root, "systemctl", "rc-update", "rc-service");
        const before = root.snapshot();
        const { status, text } = service(root, kind);
        expect({ status, text }).toMatchObject({ status: 0 });
        expect([root.text(file), root.mode(file)]).toEqual([expected(kind), mode]);
        if (kind === "systemd") expect(called(root)).toBe(`systemctl --quiet enable ${name}\n`);
        if (kind === "openrc") expect(called(root)).toBe(`rc-update --quiet add ${name} default\n`);
        // A file that we wrote may be written again. A file that was changed may not.
        expect(service(root, kind).status).toBe(0);
        root.file(file, "mine\n");
        expect(service(root, kind)).toMatchObject({
          status: 1,
          text: expect.stringContaining("and not as we made it"),
        });
        root.file(file, expected(kind));
        expect(root.install(["--uninstall"]).status).toBe(0);
        expect(root.snapshot()).toEqual(before);
        if (kind === "systemd") expect(called(root)).toEndWith(`systemctl --quiet disable ${name}\n`);
        if (kind === "openrc")
          expect(called(root)).toEndWith(`rc-service ${name} stop\nrc-update --quiet del ${name}\n`);
      });
    }

    test("inittab: lines between marks, once, and taken out again", () => {
      const root = withStick(alpineRoot());
      const before = root.snapshot();
      const own = root.text("/etc/inittab");
      const { status, text } = service(root, "inittab");
      expect({ status, text }).toMatchObject({ status: 0 });
      expect(text).toContain("/etc/inittab starts pppd from the next boot on; now: init q\n");
      expect(root.text("/etc/inittab")).toBe(`${own}# nullmodem begin\n${expected("inittab")}# nullmodem end\n`);
      expect(service(root, "inittab").text).toContain("/etc/inittab has that line already\n");
      expect(root.text("/etc/inittab").match(/respawn/g)).toHaveLength(1);
      // Other words for the same line replace the entry. Another line gets an entry of its own.
      const install = (device: string) =>
        root.install(["--yes", "--service", "inittab", "--device", device, "--", "9600"]);
      for (const device of ["/dev/ttyS2", "/dev/ttyS1"]) expect(install(device).status).toBe(0);
      const block = (line: string): string => `# nullmodem begin\n# /etc/inittab\n${line}\n# nullmodem end\n`;
      const two = `${own}${block(INITTAB[1][1])}${block(INITTAB[0][1])}`;
      expect(root.text("/etc/inittab")).toBe(two);
      expect(install("/dev/ttyUS1")).toMatchObject({
        status: 1,
        text: expect.stringContaining("/etc/inittab has another entry with the id pdS1"),
      });
      expect(root.text("/etc/inittab")).toBe(two);
      expect(root.install(["--uninstall"]).status).toBe(0);
      expect(root.snapshot()).toEqual(before);
    });

    /** Answers the questions on a terminal. Returns what was shown. */
    const onTerminal = async (root: Root, answers: Readonly<Record<string, string>>): Promise<string> => {
      const { master, slave } = openPty();
      const tty = openFd(slave, O.RDWR | O.NOCTTY);
      const child = root.start(["/bin/sh", "/stick/install.sh"], tty);
      closeFd(tty);
      const memory = new Memory(4096);
      let shown = "";
      let waiting = Object.entries(answers);
      for (let running = true; running;) {
        running = child.exitCode === null && child.signalCode === null;
        for (
          let got = libc.read(master, memory.address, 4096);
          got > 0;
          got = libc.read(master, memory.address, 4096)
        ) {
          shown += Buffer.from(memory.bytes.subarray(0, got)).toString("latin1");
        }
        const [question, answer] = waiting[0] ?? ["\0", ""];
        if (shown.includes(question)) {
          waiting = waiting.slice(1);
          const typed = new Memory(answer.length + 1);
          typed.bytes.set(Buffer.from(`${answer}\n`));
          libc.write(master, typed.address, answer.length + 1);
        }
        await Bun.sleep(2);
      }
      closeFd(master);
      return shown.replaceAll("\r\n", "\n");
    };

    test("on a terminal it shows a bar and asks what is to start pppd", async () => {
      const root = withStick(alpineRoot());
      recorded(root, "rc-update");
      const shown = await onTerminal(root, {
        "Which is to start pppd by itself: openrc inittab cron, or none? [none]": "openrc",
        "On which line? [/dev/ttyS0]": "/dev/ttyS1",
      });
      expect(shown).toContain(`\r[${"#".repeat(40)}] 100 %\n`);
      expect(shown).toContain("/etc/init.d/nullmodem-ttyS1 starts pppd from the next boot on");
      expect(called(root)).toBe("rc-update --quiet add nullmodem-ttyS1 default\n");
      const none = await onTerminal(root, { "or none? [none]": "" });
      expect(none).toContain("Installed. To take it all back: sh /usr/local/lib/nullmodem/install.sh --uninstall\n");
    });
  },
);
