import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { remotePlace } from "../../../src/commands/transfer/place-words.ts";
import { getWords, putWords, syncWords } from "../../../src/commands/transfer/transfer-words.ts";
import { NO_TRAFFIC } from "../../../src/link/counters.ts";
import type { Status } from "../../../src/run/live/published-status.ts";
import { inFolder } from "../../kit/quick-client.ts";

const DEFAULT = { giveUpSeconds: Infinity, deletes: false, isDry: false };

function link(name: string, peer: string): Status {
  return {
    interface: name,
    pid: 1,
    namespace: "net:[1]",
    up: 1,
    mtu: 1500,
    ipv4: { our: "10.0.0.1", peer },
    compression: {},
    counters: { received: NO_TRAFFIC, sent: NO_TRAFFIC },
    lines: [],
  };
}

test("get: paths are the peer's, and the last word is our folder if it is one or can be nothing else", async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, "in"));
    expect(getWords(["/a", "http://h/b", join(folder, "in")])).toMatchObject({
      from: ["peer:/a", "http://h/b"],
      to: join(folder, "in"),
    });
    expect(getWords(["/a", `${folder}/none`])).toMatchObject({ from: ["peer:/a", `peer:${folder}/none`], to: "." });
    expect(getWords(["/a", "new"])).toMatchObject({ from: ["peer:/a"], to: "new" });
    expect(getWords([folder])).toMatchObject({ from: [`peer:${folder}`], to: "." });
    expect(getWords(["--give-up", "20", "/a"])).toEqual({ ...DEFAULT, from: ["peer:/a"], to: ".", giveUpSeconds: 20 });
  });
  expect(getWords([])).toContain("which file?");
  expect(getWords(["a"])).toContain("http://192.168.0.1/a");
  expect(getWords(["/a", "--delete"])).toContain("there is no option");
  expect(getWords(["/a", "--give-up", "soon"])).toContain("number of seconds");
  expect(getWords(["--give-up=5", "/a"])).toMatchObject({ giveUpSeconds: 5 });
});

test("put: an address at the end is the place, otherwise the peer's root", async () => {
  await inFolder(async (folder) => {
    expect(putWords([folder])).toEqual({ ...DEFAULT, from: [folder], to: "peer:/" });
    expect(putWords([folder, "http://h/in/"])).toMatchObject({ to: "http://h/in/" });
    expect(putWords([folder, "peer:/in"])).toMatchObject({ to: "peer:/in" });
    expect(putWords(["http://h/in/", folder])).toContain("as the last word");
    expect(putWords([`${folder}/none`])).toContain("there is no file");
    expect(putWords(["http://h/"])).toContain("which file?");
  });
});

test("sync: one folder here and one address", async () => {
  await inFolder(async (folder) => {
    expect(syncWords([folder, "peer:/x", "--delete"])).toMatchObject({ from: [folder], to: "peer:/x", deletes: true });
    expect(syncWords(["http://h/", folder, "--dry-run"])).toMatchObject({ from: ["http://h/"], isDry: true });
    for (const words of [[folder], [folder, folder], ["http://h/", "http://h/"], [folder, "http://h/", "x"]])
      expect(syncWords(words)).toBeString();
    expect(syncWords([`${folder}/none`, "http://h/"])).toContain("there is no folder");
  });
});

test("addresses: ports, names, passwords, octets, and the peer of the only link", () => {
  expect(remotePlace("http://u:p%40@h:8080/a%20b/%ff?x=1", () => [])).toEqual({
    place: { host: "h", port: 8080, isSecure: false },
    path: "/a b/\xff",
    query: "?x=1",
    authorization: `Basic ${btoa("u:p@")}`,
  });
  expect(remotePlace("https://[fe80::1]/", () => [])).toMatchObject({
    place: { host: "fe80::1", port: 443, isSecure: true },
  });
  expect(remotePlace("http://h/../a", () => [])).toMatchObject({ path: "/a" });
  expect(remotePlace("http://", () => [])).toContain("no address");
  expect(remotePlace("peer:/a", () => [link("ppp0", "10.0.0.2")])).toMatchObject({
    place: { host: "10.0.0.2", port: 80 },
    path: "/a",
  });
  expect(remotePlace("peer:caf\u00e9", () => [link("ppp0", "10.0.0.2")])).toMatchObject({ path: "/caf\xc3\xa9" });
  expect(remotePlace("peer:/", () => [{ ...link("ppp0", "10.0.0.2"), proxy: "127.0.0.1:1080" }])).toMatchObject({
    place: { proxy: { host: "127.0.0.1", port: 1080 } },
  });
  expect(remotePlace("peer:/", () => [])).toContain("no link is up");
  expect(remotePlace("peer:/", () => [link("ppp0", "10.0.0.2"), link("ppp1", "10.0.0.3")])).toContain("ppp1: 10.0.0.3");
});
