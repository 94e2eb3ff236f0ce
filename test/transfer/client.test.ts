import { expect, test } from "bun:test";
import { Client, PATIENCE } from "../../src/transfer/client.ts";
import { Authority, certsMissing } from "../kit/certs.ts";
import { CuttingRelay } from "../kit/cutting-relay.ts";
import { FileServer } from "../kit/file-server.ts";
import { quickClient } from "../kit/quick-client.ts";

const QUIET = { waiting: () => undefined, moving: () => undefined };
const QUICK = { ...PATIENCE, retryMs: 1, tickMs: 5 };

async function portOf(first: number, other: number): Promise<string[]> {
  const place = { host: "127.0.0.1", port: first, otherPort: other, isSecure: false };
  const client = new Client(place, {}, QUICK, QUIET);
  const { body } = await client.ask({ method: "GET", target: "/a" });
  client.close();
  return [body.toString(), String(client.isOurs)];
}

test("our own server is found at the second port, and another server is taken where there is none of ours", async () => {
  await using ours = new FileServer();
  await using other = new FileServer();
  await using nobody = await CuttingRelay.to(1);
  nobody.isUp = false;
  other.isOurs = false;
  ours.put("a", Buffer.from("ours"));
  other.put("a", Buffer.from("other"));
  expect(await portOf(ours.port, other.port)).toEqual(["ours", "true"]);
  expect(await portOf(other.port, ours.port)).toEqual(["ours", "true"]);
  expect(await portOf(nobody.port, ours.port)).toEqual(["ours", "true"]);
  expect(await portOf(other.port, nobody.port)).toEqual(["other", "false"]);
});

test("another server that answers while the line is down is waited out", async () => {
  await using server = new FileServer();
  server.put("a", Buffer.from("ours"));
  const client = quickClient(server.port);
  await client.ask({ method: "GET", target: "/a" });
  server.isOurs = false;
  setTimeout(() => (server.isOurs = true), 20);
  const { body } = await client.ask({ method: "GET", target: "/a" });
  expect(body.toString()).toBe("ours");
  client.close();
});

const noCerts = certsMissing();

test.skipIf(noCerts !== undefined)(
  `a certificate that nobody vouches for is an error at once${noCerts === undefined ? "" : ` [skipped: ${noCerts}]`}`,
  async () => {
    const authority = new Authority();
    authority.issue("server", "/CN=localhost");
    const tls = { cert: authority.text("server.pem"), key: authority.text("server.key") };
    const server = Bun.serve({ port: 0, tls, fetch: () => new Response("x") });
    const client = new Client({ host: "localhost", port: server.port!, isSecure: true }, {}, QUICK, QUIET);
    await expect(client.ask({ method: "GET", target: "/a" })).rejects.toThrow("certificate");
    client.close();
    await server.stop(true);
    authority.remove();
  },
);

test("an answer that says later is waited for, and a proxy carries a connection", async () => {
  await using server = new FileServer();
  server.put("a", Buffer.from("ours"));
  let count = 0;
  server.instead = () => (++count < 4 ? new Response(null, { status: 503 }) : undefined);
  const proxy = Bun.listen<{ far?: Bun.Socket }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data: async (near, octets) => {
        if (near.data?.far !== undefined) return void near.data.far.write(octets);
        expect(octets.toString()).toStartWith(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\n`);
        const far = await Bun.connect({
          hostname: "127.0.0.1",
          port: server.port,
          socket: { data: (_, answer) => void near.write(answer) },
        });
        near.data = { far: far as unknown as Bun.Socket };
        near.write("HTTP/1.1 200 Connected\r\n\r\n");
      },
    },
  });
  const place = { host: "127.0.0.1", port: server.port, isSecure: false };
  const client = new Client({ ...place, proxy: { host: "127.0.0.1", port: proxy.port } }, {}, QUICK, QUIET);
  expect((await client.ask({ method: "GET", target: "/a" })).body.toString()).toBe("ours");
  expect(count).toBe(4);
  client.close();
  proxy.stop(true);
});
