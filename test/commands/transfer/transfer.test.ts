import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Screen } from "../../../src/commands/transfer/progress-line.ts";
import type { TransferHost } from "../../../src/commands/transfer/transfer-run.ts";
import { get, put, sync } from "../../../src/commands/transfer/transfer.ts";
import { PATIENCE } from "../../../src/transfer/client.ts";
import { CuttingRelay } from "../../kit/cutting-relay.ts";
import { FileServer, sha256 } from "../../kit/file-server.ts";
import { until } from "../../kit/patience.ts";
import { inFolder } from "../../kit/quick-client.ts";
import { Rng } from "../../kit/rng.ts";
import { hashesOf, writeTree } from "../../kit/tree.ts";

interface Shown extends TransferHost {
  readonly said: string[];
  readonly written: string[];
}

function shownHost(isTerminal = false): Shown {
  const said: string[] = [];
  const written: string[] = [];
  const screen: Screen = {
    isTerminal,
    columns: () => 60,
    write: (text) => void written.push(text),
    say: (level, text) => void said.push(`${level} ${text}`),
    now: () => performance.now(),
  };
  return { said, written, screen, patience: { ...PATIENCE, tickMs: 5, retryMs: 1, giveUpMs: 60_000 }, peers: () => [] };
}

test("put sends files and folders, makes the folder that is missing, and a second put sends nothing", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const rng = new Rng(1);
    writeTree(folder, { one: rng.bytes(100), "sub/two": rng.bytes(50_000) });
    const url = `http://127.0.0.1:${server.port}/in/`;
    const host = shownHost();
    expect(await put([join(folder, "one"), join(folder, "sub"), url], host)).toBe(0);
    expect([...server.files.keys()].sort()).toEqual(["in/one", "in/sub/two"]);
    expect(host.said).toHaveLength(1);
    expect(host.said[0]).toMatch(/^info 2 files, 50\.1 kB in .* s \(.*\/s\); compared with the other side by SHA-256$/);
    const again = shownHost();
    server.received = 0;
    expect(await put([join(folder, "one"), join(folder, "sub"), url], again)).toBe(0);
    expect(server.received).toBe(0);
    expect(again.said[0]).toEndWith("; 2 were the same already");
  });
});

test("get fetches files and folders; a folder without its slash is found by the server's redirection", async () => {
  await using server = new FileServer();
  const rng = new Rng(2);
  server.put("sub/two", Buffer.from(rng.bytes(50_000)));
  server.put("one x", Buffer.from(rng.bytes(10)));
  server.instead = (request) =>
    new URL(request.url).pathname === "/sub" ? Response.redirect("/sub/", 301) : undefined;
  await inFolder(async (folder) => {
    const url = `http://127.0.0.1:${server.port}`;
    expect(await get([`${url}/one%20x`, `${url}/sub`, folder], shownHost())).toBe(0);
    expect(hashesOf(folder)).toEqual({
      "one x": sha256(server.files.get("one x")!.octets),
      sub: "folder",
      "sub/two": sha256(server.files.get("sub/two")!.octets),
    });
    const again = shownHost();
    server.requests.length = 0;
    expect(await get([`${url}/one%20x`, folder], again)).toBe(0);
    expect(server.requests).toEqual(["HEAD /one%20x"]);
  });
});

test("get from a plain server says that nothing could be checked", async () => {
  await using server = new FileServer();
  server.isOurs = false;
  server.put("a", Buffer.from("hello"));
  await inFolder(async (folder) => {
    const host = shownHost();
    expect(await get([`http://127.0.0.1:${server.port}/a`, folder], host)).toBe(0);
    expect(host.said[0]).toBe("warn the server has no hashes: 1 of the files could not be checked");
    expect(await get([`http://127.0.0.1:${server.port}/`, folder], shownHost())).toBe(0);
    expect(readFileSync(join(folder, "index.html"), "utf8")).toBe("a page");
  });
});

test("wrong words and refusals have their exit codes and plain words", async () => {
  await using server = new FileServer();
  await inFolder(async (folder) => {
    const missing = shownHost();
    expect(await get([`http://127.0.0.1:${server.port}/none`, folder], missing)).toBe(1);
    expect(missing.said[0]).toContain("/none: there is no such file");
    const words = shownHost();
    expect(await sync([folder], words)).toBe(2);
    expect(words.said[0]).toContain("two folders");
    const peer = shownHost();
    expect(await get(["--give-up", "0", "/a", folder], peer)).toBe(2);
    expect(peer.said[0]).toContain("no link is up");
  });
});

test("sync with --dry-run says what it would do, and does nothing", async () => {
  await using server = new FileServer();
  server.put("gone", Buffer.from("x"));
  await inFolder(async (folder) => {
    writeTree(folder, { a: new Uint8Array(3) });
    const host = shownHost();
    const url = `http://127.0.0.1:${server.port}/`;
    expect(await sync([folder, url, "--delete", "--dry-run"], host)).toBe(0);
    expect(host.said).toEqual(["info send a", "info delete gone"]);
    expect([...server.files.keys()]).toEqual(["gone"]);
  });
});

test("a terminal gets one line that fits it, and says when it waits", async () => {
  await using server = new FileServer();
  await using relay = await CuttingRelay.to(server.port);
  server.put("a", Buffer.from(new Rng(3).bytes(3_000_000)));
  relay.plan = () => ({ after: 1_000_000, how: "reset" });
  await inFolder(async (folder) => {
    const host = shownHost(true);
    const done = get([`http://127.0.0.1:${relay.port}/a`, folder], host);
    await until("a cut", () => relay.cuts > 0);
    expect(await done).toBe(0);
    const lines = host.written.flatMap((text) => (text.startsWith("\r\x1b[K") ? [] : [text]));
    expect(lines.length).toBeGreaterThan(0);
    for (const text of lines) {
      expect(text).toMatch(/^\r.*\x1b\[K$/);
      expect(Bun.stringWidth(text)).toBeLessThanOrEqual(59);
    }
  });
});

const canMount = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;

test.skipIf(!canMount)(
  `a full disk is an error in plain words, and what has come is kept${canMount ? "" : " [skipped: needs the right to mount]"}`,
  async () => {
    await using server = new FileServer();
    server.put("a", Buffer.from(new Rng(5).bytes(300_000)));
    await inFolder(async (folder) => {
      const main = join(import.meta.dir, "../../../src/main.ts");
      const script = 'mount -t tmpfs -o size=128k none "$1" && shift && "$@"; code=$?; ls "$0"; exit $code';
      const words = [process.execPath, main, "get", `http://127.0.0.1:${server.port}/a`, folder];
      const child = Bun.spawn(["unshare", "-m", "sh", "-c", script, folder, folder, ...words], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect([await child.exited, out.split("\n").filter((line) => line.startsWith("a"))]).toEqual([
        1,
        ["a.part", "a.part.json"],
      ]);
      expect(out + err).toContain("the disk of this machine is full");
    });
  },
);

for (const program of ["put", "get"] as const)
  test(`a ${program} that is killed goes on with the same command`, async () => {
    await using server = new FileServer();
    const octets = Buffer.from(new Rng(4).bytes(600_000));
    await inFolder(async (folder) => {
      mkdirSync(join(folder, "in"));
      writeFileSync(join(folder, "a"), octets);
      utimesSync(join(folder, "a"), 1_000_000_000, 1_000_000_000);
      if (program === "get") server.put("a", octets);
      const run = (port: number): Bun.Subprocess => {
        const url = `http://127.0.0.1:${port}/`;
        const words = program === "put" ? [join(folder, "a"), url] : [`${url}a`, join(folder, "in")];
        const main = join(import.meta.dir, "../../../src/main.ts");
        return Bun.spawn([process.execPath, main, program, ...words], { stdio: ["ignore", "ignore", "ignore"] });
      };
      await using relay = await CuttingRelay.to(server.port);
      relay.plan = () => ({ after: 400_000, how: "silence" });
      const killed = run(relay.port);
      const part = join(folder, "in", "a.part");
      const has = (): number =>
        program === "put" ? server.received : (statSync(part, { throwIfNoEntry: false })?.size ?? 0);
      await until("a large part", () => has() > 250_000);
      killed.kill("SIGKILL");
      await killed.exited;
      relay.cut();
      const before = server.received;
      server.requests.length = 0;
      expect(await run(server.port).exited).toBe(0);
      if (program === "put") {
        expect(server.files.get("a")?.octets.equals(octets)).toBe(true);
        expect(server.received - before).toBeLessThan(400_000);
      } else {
        expect(readFileSync(join(folder, "in", "a")).equals(octets)).toBe(true);
        expect(server.requests.filter((request) => request.startsWith("GET /a bytes="))).toHaveLength(1);
      }
    });
  });

test("an error after which nothing can go on does not say so, and names what is wrong", async () => {
  await using server = new FileServer();
  server.put("a", Buffer.from("hello"));
  await inFolder(async (folder) => {
    writeTree(folder, { file: new Uint8Array(3) });
    const said = async (code: number, url: string, to = folder): Promise<string[]> => {
      const host = shownHost();
      expect(await get([url, to], host)).toBe(code);
      return host.said;
    };
    const url = `127.0.0.1:${server.port}`;
    expect((await said(1, `http://${url}/none`)).join()).not.toContain("is kept");
    // An absolute path that is no folder is one of the other machine.
    const file = relative(process.cwd(), join(folder, "file"));
    expect(await said(2, `http://${url}/a`, file)).toEqual([`error ${file} is not a folder`]);
    expect(await said(1, `http://${url}/a`, `${file}/x`)).toEqual([
      `error ${file}/x: a file is where a folder should be`,
    ]);
    server.instead = () => new Response("", { status: 401 });
    expect(await said(1, `http://me:wrong@${url}/a`)).toEqual(["error wrong name or password"]);
    expect((await said(1, `http://${url}/a`)).join()).toContain("asks for a name and a password");
  });
});

test("without a link, an address of the peer waits for one", async () => {
  await inFolder(async (folder) => {
    const host = shownHost();
    let looks = 0;
    // A second link comes with the first, so that the wait ends and nothing is asked of a peer.
    const link = { up: {}, ipv4: { peer: "127.0.0.1" }, interface: "ppp0" };
    const peers = (): never => (++looks < 3 ? [] : [link, link]) as never;
    expect(await get(["/a", folder], { ...host, peers })).toBe(2);
    expect(host.said).toEqual([
      "info No link is up here yet; waiting for one",
      expect.stringContaining("more than one link is up"),
    ]);
  });
});
