// What lies beyond a link, for tests of user-mode networking: a web server and a name server on one address. Started by bun in a
// machine: `outside ADDRESS [OCTETS]`. It says "ready".

const address = process.argv[2] ?? "127.0.0.1";
/** A page of a million octets, or as many as are wanted. "/short" has the first thousand of it. */
const PAGE = "0123456789".repeat(Number(process.argv[3] ?? 1_000_000) / 10);

Bun.serve({
  hostname: address,
  port: 80,
  fetch: ({ url }) => new Response(url.endsWith("/short") ? PAGE.slice(0, 1000) : PAGE),
});

/** Answers every question with our address, a question for another type of record with nothing. */
await Bun.udpSocket({
  hostname: address,
  port: 53,
  socket: {
    data(socket, question, port, from) {
      const end = question.indexOf(0, 12) + 5;
      const isIpv4 = question[end - 3] === 1;
      const head = [question[0]!, question[1]!, 0x81, 0x80, 0, 1, 0, isIpv4 ? 1 : 0, 0, 0, 0, 0];
      const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, ...address.split(".").map(Number)];
      socket.send(Uint8Array.from([...head, ...question.subarray(12, end), ...(isIpv4 ? record : [])]), port, from);
    },
  },
});
console.log("ready");

export {};
