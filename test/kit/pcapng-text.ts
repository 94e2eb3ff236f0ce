// Reads what our captures have, without tshark: blocks of pcapng.

export interface ReadPacket {
  readonly line: string;
  readonly isSent: boolean;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly octets: Uint8Array;
  readonly length: number;
  readonly comments: readonly string[];
}

export interface ReadCapture {
  readonly packets: readonly ReadPacket[];
  /** The lines of the log. */
  readonly notes: readonly string[];
}

/** The blocks of a file. Throws when a size lies. */
export function blocksOf(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint32(at + 4, true);
    if (size < 12 || size % 4 !== 0 || at + size > bytes.length || view.getUint32(at + size - 4, true) !== size)
      throw new Error(`a block of ${size} octets at ${at} of ${bytes.length}`);
    blocks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return blocks;
}

export function readCapture(bytes: Uint8Array): ReadCapture {
  const lines: string[] = [];
  const packets: ReadPacket[] = [];
  const notes: string[] = [];
  for (const block of blocksOf(bytes)) {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const type = view.getUint32(0, true);
    if (type === 1) lines.push(optionsOf(block, 16).find(({ code }) => code === 2)!.text);
    if (type === 9) notes.push(/^MESSAGE=(.*)$/m.exec(Buffer.from(block.subarray(8, -4)).toString())![1]!);
    if (type !== 6) continue;
    const kept = view.getUint32(20, true);
    const options = optionsOf(block, 28 + ((kept + 3) & ~3));
    packets.push({
      line: lines[view.getUint32(8, true)]!,
      isSent: block[28] === 1,
      time: (view.getUint32(12, true) * 2 ** 32 + view.getUint32(16, true)) / 1000,
      octets: block.slice(29, 28 + kept),
      length: view.getUint32(24, true) - 1,
      comments: options.filter(({ code }) => code === 1).map(({ text }) => text),
    });
  }
  return { packets, notes };
}

function optionsOf(block: Uint8Array, start: number): { code: number; text: string }[] {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const options: { code: number; text: string }[] = [];
  for (let at = start; at + 4 < block.length - 4;) {
    const [code, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (code === 0) break;
    options.push({ code, text: Buffer.from(block.subarray(at + 4, at + 4 + length)).toString() });
    at += 4 + ((length + 3) & ~3);
  }
  return options;
}
