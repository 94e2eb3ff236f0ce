// Requests to the file server, damaged and cut anywhere: in any pieces the answers are the same, no file stays open, and what is
// beside the folder's own files are whole files and partial ones.

import { bytesOf } from "../../src/bytes/text.ts";
import { FileExchange } from "../kit/file-exchange.ts";
import { Rng } from "../kit/rng.ts";
import type { FuzzInput, Target } from "./target.ts";

const PIECES = 12;
const FORM =
  '--XyZ\r\nContent-Disposition: form-data; name="f"; filename="C:\\A.TXT"\r\n\r\ndata\r\n--Xy\r\n--XyZ--\r\n';
const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: Mozilla/3.0\r\n\r\n",
  'GET /a HTTP/1.1\r\nRange: bytes=2-5\r\nIf-None-Match: "x", *\r\n\r\n',
  "GET /a?hash=sha256&first=3 HTTP/1.1\r\n\r\n",
  "GET /a?blocks=1024 HTTP/1.1\r\n\r\n",
  "GET /sub/?list=json&deep HTTP/1.1\r\n\r\n",
  "GET /sub/?tar HTTP/1.1\r\n\r\n",
  "GET /?zip HTTP/1.1\r\n\r\n",
  "HEAD /LONGNA~1.TXT?names=8.3 HTTP/1.1\r\nUpload-Id: abcdefgh\r\n\r\n",
  "PUT /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
  "PUT /b HTTP/1.1\r\nUpload-Id: abcdefgh\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\nhello",
  "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  `POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=XyZ\r\nContent-Length: ${FORM.length}\r\n\r\n${FORM}`,
  "MKCOL /d HTTP/1.1\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\n\r\n",
];

function streamOf(rng: Rng, { mutations }: FuzzInput): Uint8Array {
  const pieces: number[] = [];
  for (let piece = 0; piece < PIECES; piece++) {
    let octets = bytesOf(rng.pick(REQUESTS));
    for (const { kind, a, b } of mutations.filter((one) => one.piece === piece)) {
      const at = a % (octets.length + 1);
      if (kind === "flip" && at < octets.length) octets[at]! ^= 1 << (b & 7);
      else if (kind === "cut") octets = octets.slice(0, at);
      else if (kind === "noise")
        octets = Uint8Array.from([...octets.subarray(0, at), ...new Rng(b).bytes(a % 100), ...octets.subarray(at)]);
    }
    pieces.push(...octets);
  }
  return Uint8Array.from(pieces);
}

function exchange(): FileExchange {
  const one = new FileExchange();
  one.folder.put("a", "0123456789");
  one.folder.makeFolder(["sub"]);
  one.folder.put("sub/long name \xe9.text", "x".repeat(3000));
  return one;
}

export const HTTP: Target = {
  name: "http",
  kinds: ["flip", "cut", "noise"],
  pieces: PIECES,
  run(input: FuzzInput) {
    const rng = new Rng(input.seed);
    const stream = streamOf(rng, input);
    const [whole, cut] = [exchange(), exchange()];
    // How octets are divided into chunks depends on when they are fetched.
    const statuses = (answer: string): string => (answer.match(/HTTP\/1\.1 \d+/g) ?? []).join();
    const answers = [statuses(whole.octets(stream)), statuses(cut.octets(stream, 1 + rng.below(40)))];
    if (answers[0] !== answers[1]) throw new Error(`the pieces make a difference: ${answers.join(" and ")}`);
    const files = [whole, cut].map(({ folder }) => folder.names.map((name) => `${name}=${folder.text(name)}`).join());
    if (files[0] !== files[1]) throw new Error("the pieces make a difference to the files");
    for (const { connection, folder } of [whole, cut]) {
      connection.cut();
      if (folder.open_ !== 0) throw new Error(`${folder.open_} files stay open`);
    }
    return stream.length;
  },
};
