// The process that serves files, as pppd starts it, at the loopback.

import { afterAll, afterEach, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { listenOn, portOf } from "../../src/os/net/tcp.ts";
import { startFilesProcess, type FilesProcess } from "../../src/os/process/files-process.ts";
import { parseTransfers } from "../../src/run/files/transfer-list.ts";
import type { FilesRequest } from "../../src/run/host/processes.ts";
import { PATIENCE_MS, until } from "../kit/patience.ts";
import { built } from "../kit/program.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const isRoot = process.getuid?.() === 0;
const places: string[] = [];
const started: FilesProcess[] = [];

/** As an ordinary user, the process reads its program anew. In a private folder it could not: there the executable is copied. */
const program = mayBeRead(MAIN) && mayBeRead(process.execPath) ? [process.execPath, MAIN] : [copyOfExecutable()];

function mayBeRead(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & (at === path ? 0o004 : 0o001)) === 0) return false;
    if (at === "/") return true;
  }
}

function copyOfExecutable(): string {
  const copy = join(mkdtempSync(join(tmpdir(), "nullmodem-")), "nullmodem");
  copyFileSync(built("nullmodem"), copy);
  chmodSync(dirname(copy), 0o755);
  return copy;
}

afterAll(() => {
  if (program.length === 1) rmSync(dirname(program[0]!), { recursive: true });
});

afterEach(async () => {
  for (const one of started.splice(0)) {
    one.end();
    await one.ended;
  }
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
});

function folder(): string {
  const place = mkdtempSync(join(tmpdir(), "served-"));
  places.push(place);
  chmodSync(place, 0o755);
  writeFileSync(join(place, "a.txt"), "hello");
  return place;
}

function serve(
  directory: string,
  more: Partial<FilesRequest> = {},
  before: readonly string[] = [],
): { process: FilesProcess; url: string } {
  const fd = listenOn({ family: 4, address: "127.0.0.1", port: 0 }, 128);
  const request = {
    directory,
    isWritable: true,
    quota: null,
    hasShortNames: false,
    users: null,
    windows: null,
    ...more,
  };
  const process = startFilesProcess(JSON.stringify(request), { http: fd, smb: undefined, names: undefined }, [
    ...before,
    ...program,
  ]);
  const url = `http://127.0.0.1:${portOf(fd)}`;
  closeSync(fd);
  started.push(process);
  return { process, url };
}

/** What a thread may do. Sets of rights that are empty are left out. */
function rightsOf(status: string): Record<string, string> {
  const field = (name: string): string => new RegExp(`^${name}:[ \\t]*(.*)`, "m").exec(status)?.[1]?.trim() ?? "";
  const names = ["Uid", "Gid", "Groups", "NoNewPrivs", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
  return Object.fromEntries(names.map((name) => [name, field(name)]).filter(([, text]) => !/^0{16}$/.test(text!)));
}

/** Those of all threads, which must be the same. */
function rights(pid: number): Record<string, string> {
  const all = readdirSync(`/proc/${pid}/task`).map((thread) =>
    rightsOf(readFileSync(`/proc/${pid}/task/${thread}/status`, "latin1")),
  );
  expect(all.length).toBeGreaterThan(1);
  for (const one of all) expect(one).toEqual(all[0]!);
  return all[0]!;
}

function lesser(uid: number, gid: number): Record<string, string> {
  const four = (id: number): string => [id, id, id, id].join("\t");
  return { Uid: four(uid), Gid: four(gid), Groups: "", NoNewPrivs: "1" };
}

test("it serves until it is ended, and asks for passwords when it has some", async () => {
  const { process, url } = serve(folder(), { isWritable: false, users: [["zaphod", "a:b"]] });
  expect((await fetch(`${url}/a.txt`)).status).toBe(401);
  const headers = { Authorization: `Basic ${btoa("zaphod:a:b")}` };
  expect(await (await fetch(`${url}/a.txt`, { headers })).text()).toBe("hello");
  process.end();
  expect((await process.ended).exitCode).toBe(0);
  expect(JSON.parse((await process.answer)!)).toEqual({ isWritable: false });
});

test(
  "it tells which files are on their way, and when none is any more",
  async () => {
    const place = folder();
    if (isRoot) chownSync(place, 12345, 23456);
    const { process, url } = serve(place);
    const { hostname, port } = new URL(url);
    const client = await Bun.connect({ hostname, port: Number(port), socket: { data: () => {} } });
    client.write("PUT /b%C3%A9.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nfive!");
    await until("the file is told of", () => parseTransfers(process.latest() ?? "").length > 0);
    expect(parseTransfers(process.latest()!)).toEqual([{ name: "bé.txt", to: "us", octets: 5, of: 1000, rate: 0 }]);
    client.end();
    await until("none is on its way", () => process.latest() === "[]");
  },
  PATIENCE_MS,
);

test(
  "a file that the socket has taken as a whole is on its way until the client has it",
  async () => {
    const place = folder();
    writeFileSync(join(place, "big"), new Uint8Array(1_000_000));
    const { process, url } = serve(place);
    const { hostname, port } = new URL(url);
    let got = 0;
    const socket = { data: (_: unknown, octets: Uint8Array) => void (got += octets.length) };
    const client = await Bun.connect({ hostname, port: Number(port), socket });
    client.pause();
    client.write("GET /big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    await until("the file is told of", () => parseTransfers(process.latest() ?? "").length > 0);
    const [transfer] = parseTransfers(process.latest()!);
    expect(transfer).toMatchObject({ name: "big", to: "peer", of: 1_000_000 });
    expect(transfer!.octets).toBeLessThan(1_000_000);
    client.resume();
    await until("it has arrived", () => process.latest() === "[]");
    expect(got).toBeGreaterThan(1_000_000);
    client.end();
  },
  PATIENCE_MS,
);

test.skipIf(!isRoot)(
  `as root it becomes the folder's owner for good${isRoot ? "" : " [skipped: not root]"}`,
  async () => {
    const place = folder();
    chownSync(place, 12345, 23456);
    const { process, url } = serve(place);
    expect((await fetch(`${url}/b`, { method: "PUT", body: "x" })).status).toBe(201);
    expect(JSON.parse((await process.answer)!)).toEqual({ isWritable: true });
    const { uid, gid } = statSync(join(place, "b"));
    expect([uid, gid]).toEqual([12345, 23456]);
    expect(rights(process.pid)).toEqual(lesser(12345, 23456));
  },
);

test.skipIf(!isRoot)(
  `a folder of root is served as nobody sees it${isRoot ? "" : " [skipped: not root]"}`,
  async () => {
    const place = folder();
    writeFileSync(join(place, "secret"), "x", { mode: 0o600 });
    mkdirSync(join(place, "closed"), { mode: 0o700 });
    mkdirSync(join(place, "open"));
    chmodSync(join(place, "open"), 0o777);
    const { process, url } = serve(place);
    expect(await (await fetch(`${url}/a.txt`)).text()).toBe("hello");
    expect((await fetch(`${url}/secret`)).status).toBe(403);
    expect((await fetch(`${url}/closed/`)).status).toBe(403);
    expect((await fetch(`${url}/b`, { method: "PUT", body: "x" })).status).toBe(403);
    const whyNot = "nobody may not write there; chown it or chmod it";
    expect(JSON.parse((await process.answer)!)).toEqual({ isWritable: true, whyNot });
    expect(await (await fetch(`${url}/`)).text()).not.toContain("<FORM");
    // A folder in it is open to all.
    expect(await (await fetch(`${url}/open/`)).text()).toContain("<FORM");
    expect((await fetch(`${url}/open/b`, { method: "PUT", body: "x" })).status).toBe(201);
    expect(rights(process.pid)).toEqual(lesser(65534, 65534));
  },
);

const setpriv = Bun.which("setpriv") ?? "";
const withMore = [setpriv, "--inh-caps=+net_admin", "--ambient-caps=+net_admin"];
const hasMore = setpriv !== "" && Bun.spawnSync([...withMore, "true"]).exitCode === 0;
test.skipIf(!hasMore)(
  `it keeps no right that was to be inherited${hasMore ? "" : " [skipped: needs setpriv and CAP_NET_ADMIN]"}`,
  async () => {
    const { process, url } = serve(folder(), {}, withMore);
    expect(await (await fetch(`${url}/a.txt`)).text()).toBe("hello");
    expect(rights(process.pid)).toEqual(lesser(65534, 65534));
  },
);

const unshare = Bun.which("unshare") ?? "";
const inside = [unshare, "--user", "--map-root-user"];
const hasNamespaces = unshare !== "" && Bun.spawnSync([...inside, "true"]).exitCode === 0;
test.skipIf(!hasNamespaces)(
  `root of a user namespace without other users gives up its capabilities${hasNamespaces ? "" : " [skipped: no user namespaces]"}`,
  async () => {
    const { process, url } = serve(folder(), {}, inside);
    expect(await (await fetch(`${url}/a.txt`)).text()).toBe("hello");
    expect(rights(process.pid)).toEqual({ ...lesser(0, 0), Groups: expect.any(String) });
  },
);

test("a folder that is not there is told", async () => {
  const { process } = serve("/no/such/folder");
  expect(JSON.parse((await process.answer)!)).toEqual({ trouble: "open: No such file or directory" });
  expect((await process.ended).exitCode).toBe(1);
});

test.skipIf(!isRoot)(
  `a folder that nobody may read is told at once${isRoot ? "" : " [skipped: not root]"}`,
  async () => {
    const place = folder();
    chmodSync(place, 0o700);
    const { process } = serve(place);
    expect(JSON.parse((await process.answer)!)).toEqual({ trouble: "nobody may not read it; chown it or chmod it" });
    expect((await process.ended).exitCode).toBe(1);
  },
);
