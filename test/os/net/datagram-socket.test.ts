import { expect, test } from "bun:test";
import { bytesOf, textOf } from "../../../src/bytes/text.ts";
import { closeFd } from "../../../src/os/ffi/libc.ts";
import { bindDatagrams, receiveFrom, sendTo } from "../../../src/os/net/datagram-socket.ts";
import { portOf } from "../../../src/os/net/tcp.ts";
import { until } from "../../kit/patience.ts";

const HERE = "127.0.0.1";

test("datagrams come with their sender, who is answered", async () => {
  const [one, other] = [0, 0].map(() => bindDatagrams({ family: 4, address: HERE, port: 0 }, undefined));
  try {
    expect(receiveFrom(one!)).toBeUndefined();
    sendTo(other!, bytesOf("who"), { family: 4, address: HERE, port: portOf(one!) });
    let from: Parameters<typeof sendTo>[2] | undefined;
    await until("the datagram comes", () => {
      const came = receiveFrom(one!);
      if (came === undefined) return false;
      expect(textOf(came.octets)).toBe("who");
      from = came.from;
      return true;
    });
    expect(from).toEqual({ family: 4, address: HERE, port: portOf(other!) });
    sendTo(one!, bytesOf("me"), from!);
    await until("the answer comes", () => textOf(receiveFrom(other!)?.octets ?? new Uint8Array(0)) === "me");
    expect(() => bindDatagrams({ family: 4, address: HERE, port: portOf(one!) }, undefined)).toThrow("in use");
  } finally {
    for (const fd of [one, other]) closeFd(fd!);
  }
});

test("a port at a device may be that of another program that shares it, as nmbd does", async () => {
  const shared = bindDatagrams({ family: 4, address: "0.0.0.0", port: 0 }, "lo");
  try {
    const fd = bindDatagrams({ family: 4, address: "0.0.0.0", port: portOf(shared) }, "lo");
    closeFd(fd);
  } finally {
    closeFd(shared);
  }
});
